"""Which copies explain a pattern best: changes are proposed, fitted from blurred to sharp, and judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mixrd.paper.dataset_recipe import DatasetRecipe
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.refinement.copies import Copies
from mixrd.paper.refinement.dictionary import Dictionary, ProposalKind
from mixrd.paper.refinement.evidence import unexplained
from mixrd.paper.refinement.expectation import Expected, named, surprise
from mixrd.paper.refinement.fitting import Fitted, Prior, fit, joined
from mixrd.paper.refinement.lines import LineTable
from mixrd.paper.refinement.pattern_model import PatternModel
from mixrd.paper.refinement.proposals import Proposals

#: Blur in degrees and points for one, from blurred to sharp.
LEVELS = ((0.4, 8), (0.15, 4), (0.05, 2), (0.0, 1))
#: The same of the dictionaries, the coarse one first.
DICTIONARIES = ((0.15, 4), (0.07, 3))
#: Steps at each level: of a first estimate; of a change; and of one to a material of many components.
_SETTLE, _CHANGE, _CHANGE_MANY = (5, 5, 4, 4), (0, 4, 4, 3), (5, 5, 4, 3)
#: Levels of a change up to which all starts of it are followed, and how many are from there on.
_BLUNT, _KEPT_STARTS = 2, 3
#: Changes of a pattern that are followed to the sharp level.
_KEPT_CHANGES = 2
#: Most steps of the last fit.
_LAST_STEPS = 15
#: Expected gain, in units of the noise's variance, that makes a change worth a trial.
_WORTH = 8.0
#: Where something explains nearly as much as what is there: the loss in these units, or as a share of that.
_NEARLY, _NEARLY_SHARE = 30.0, 0.3
#: By how much -2 ln of the evidence has to fall.
_BETTER = 0.5
#: `unexplained` from which on a fit is taken to be in the wrong place.
MISFIT = 0.3
#: Share of a pattern in materials that the network did not expect, in units of a slot's share of the whole,
#: from which it is searched from nothing.
_SURPRISE = 0.18
#: Materials less probable than this before the search are not exchanged for what has nearly their lines.
_THINKABLE = 0.05
_MOST_ROUNDS = 10
_ROUNDS_AGAIN = 4
_ROUNDS_NAMED = 2
#: Copies below this many standard deviations squared are tried without.
_DOUBTFUL = 80.0


class Search:
    """Finds the copies in patterns of one setting.

    Parameters
    ----------
    recipe : DatasetRecipe
        Its crystals are the candidates.
    settings : Figure1Settings

    Raises
    ------
    ParameterError
        If patterns of the setting cannot be modelled.
    """

    def __init__(self, recipe: DatasetRecipe, settings: Figure1Settings) -> None:
        self.settings, self.slots = settings, settings.max_phases
        self.lines = LineTable(recipe, settings)
        self.prior = Prior.of(settings, recipe.max_strain, len(recipe.crystals))
        self.levels = [
            PatternModel(self.lines, settings, blur_deg=blur, every=every) for blur, every in LEVELS
        ]
        self.dictionaries = [
            Dictionary(PatternModel(self.lines, settings, blur_deg=blur, every=every))
            for blur, every in DICTIONARIES
        ]
        self.materials = len(recipe.crystals)
        # Copies of one material that a pattern can hold.
        self._most_copies = 1 if settings.kind == "exactly_distinct" else self.slots

    @property
    def sharp(self) -> PatternModel:
        """The model of the pattern as it is."""
        return self.levels[-1]

    def empty(self, patterns: int) -> Copies:
        """Nothing in any pattern; sizes, eta and decay in the middle of their ranges."""
        middle = torch.tensor([sum(limits) / 2 for limits in self.prior.shape])
        return Copies(
            torch.full((patterns, self.slots), -1),
            torch.zeros(patterns, self.slots, self.lines.most_components),
            middle.repeat(patterns, 1),
        )

    def polished(self, patterns: Tensor, copies: Copies) -> Fitted:
        """The last fit from where `copies` stand, sharp."""
        return fit(self.sharp, patterns, copies, self.prior, steps=_LAST_STEPS)

    def unexplained(self, patterns: Tensor, fitted: Fitted) -> Tensor:
        """(B,) `mixrd.paper.refinement.evidence.unexplained` of fits."""
        parts = []
        for low in range(0, len(patterns), 64):
            rows = slice(low, low + 64)
            columns = self.sharp.render(fitted.copies.rows(rows)).columns
            explained = torch.einsum("bi,bin->bn", fitted.coefficients[rows], columns)
            parts.append(unexplained(patterns[rows] - explained))
        return torch.cat(parts)

    def run(
        self,
        patterns: Tensor,
        start: Copies | None = None,
        *,
        told: Tensor | None = None,
        expected: Expected | None = None,
        tell: Callable[[str, int, int], None] | None = None,
    ) -> Fitted:
        """Fit (B, N) patterns.

        Parameters
        ----------
        patterns : (B, N) tensor
            float32.
        start : Copies, optional
            A first estimate; from nothing unless given.
        told : (B, M) int64 tensor, optional
            How many copies of each material stand in the patterns, where that is known.
        expected : Expected, optional
            Before the search. What is likely is tried in any case; patterns in which something else is found
            are searched from nothing as well.
        tell : callable, optional
            Told what is done, with how many changes and how many of them were taken.
        """
        work = _Work(self, patterns, told, tell, expected)
        everything = torch.arange(len(patterns))
        state = work.settled(start)
        if start is not None and told is None:
            state = work.without_doubtful(state)
        coarse, fine = range(2)
        state = work.rounds(state, everything, coarse, changes=3)
        state = work.elsewhere(state, work.misfits(state))
        state = work.rounds(state, everything, fine, changes=3)
        state = work.rounds(state, work.misfits(state), fine, changes=12, nearly=True)
        state = work.twins(state, everything)
        if start is not None:
            surprising = None
            if expected is not None:
                state = work.named(state)
                surprising = surprise(state, expected.presence) > _SURPRISE / self.slots
            state = work.afresh(state, work.misfits(state, surprising))
        if told is None:
            state = work.without_doubtful(state)
        return self.polished(patterns, state.copies)


class _Work:
    """A search in some patterns: how each level and dictionary sees them, and the steps of the search."""

    def __init__(
        self,
        search: Search,
        patterns: Tensor,
        told: Tensor | None,
        tell: Callable[[str, int, int], None] | None,
        expected: Expected | None = None,
    ) -> None:
        self.search, self.patterns, self.told, self.tell = search, patterns, told, tell
        self.expected = expected
        anything = torch.full((len(patterns), search.materials), search._most_copies)
        self.capacity = anything if told is None else told
        self.seen = [level.seen(patterns) for level in search.levels]
        self.seen_by = [dictionary.model.seen(patterns) for dictionary in search.dictionaries]

    def settled(self, start: Copies | None) -> Fitted:
        count = len(self.patterns)
        if start is None:
            return self.fitted(torch.arange(count), self.search.empty(count), (0, 0, 0, 3))
        return self.fitted(torch.arange(count), start, _SETTLE)

    def fitted(self, rows: Tensor, copies: Copies, steps: Sequence[int]) -> Fitted:
        """Fits of the patterns `rows`, from level to level."""
        result = None
        for level, seen, count in zip(self.search.levels, self.seen, steps, strict=True):
            if count:
                result = fit(level, seen[rows], copies, self.search.prior, steps=count)
                copies = result.copies
        assert result is not None
        return result.without_empty()

    def misfits(self, state: Fitted, others: Tensor | None = None) -> Tensor:
        """Patterns whose fits leave more than noise, and `others` (B,)."""
        wrong = self.search.unexplained(self.patterns, state) > MISFIT
        return torch.nonzero(wrong if others is None else wrong | others)[:, 0]

    def rounds(
        self,
        state: Fitted,
        rows: Tensor,
        number: int,
        *,
        changes: int,
        nearly: bool = False,
        kind: ProposalKind = "better",
    ) -> Fitted:
        """Propose and try changes of the patterns `rows`, as long as they become better.

        With `nearly` also those that are expected to be nearly as good as what is there.
        """
        dictionary = self.search.dictionaries[number]
        for _ in range(_ROUNDS_AGAIN if nearly else _MOST_ROUNDS):
            if not len(rows):
                break
            current, capacity = state.rows(rows), self.capacity[rows]
            if kind == "twin" and self.expected is not None:
                # Not of materials that were as good as excluded before the search.
                capacity = capacity * (self.expected.presence[rows] > _THINKABLE)
            proposals = dictionary.propose(
                self.seen_by[number][rows], current, count=changes, capacity=capacity, kind=kind
            )
            proposals = proposals.rows(self.worth_a_trial(current, proposals, nearly=nearly))
            state, rows = self.tried(state, rows, proposals, "change")
        return state

    def worth_a_trial(self, current: Fitted, proposals: Proposals, *, nearly: bool) -> Tensor:
        """(M,) which proposals promise enough."""
        noise = (current.cost / self.search.settings.points)[proposals.pattern]
        new = current.copies.material[proposals.pattern, proposals.slot] < 0
        swap = proposals.other >= 0
        # A phase that is known to be there need not be conspicuous.
        least = torch.where(new, _WORTH if self.told is None else 0.0, _WORTH) * noise
        allowed = -torch.maximum(_NEARLY * noise, _NEARLY_SHARE * proposals.lost)
        least = torch.where(swap | (nearly & ~new), allowed, least)
        return proposals.gain > least

    def twins(self, state: Fitted, rows: Tensor) -> Fitted:
        """Try what has nearly the same lines as what is there, once a slot."""
        return self.rounds(state, rows, 1, changes=self.search.slots, nearly=True, kind="twin")

    def named(self, state: Fitted) -> Fitted:
        """Try what was expected but not found, where it was expected."""
        assert self.expected is not None
        for _ in range(_ROUNDS_NAMED):
            rows = torch.arange(len(state.cost))
            proposals = named(state, self.expected)
            state, rows = self.tried(state, rows, proposals, "named")
            if not len(rows):
                break
        return state

    def elsewhere(self, state: Fitted, rows: Tensor) -> Fitted:
        """Try other strains of materials with many components in the patterns `rows`."""
        if not len(rows):
            return state
        dictionary = self.search.dictionaries[0]
        proposals = dictionary.propose(
            self.seen_by[0][rows], state.rows(rows), count=0, capacity=self.capacity[rows], kind="elsewhere"
        )
        return self.tried(state, rows, proposals, "strain")[0]

    def afresh(self, state: Fitted, rows: Tensor) -> Fitted:
        """Search the patterns `rows` from nothing, and keep what is better."""
        if not len(rows):
            return state
        other = self.search.run(self.patterns[rows], told=None if self.told is None else self.told[rows])
        better = torch.nonzero(self.badness(other) < self.badness(state)[rows] - _BETTER)[:, 0]
        self.say("afresh", len(rows), len(better))
        return state.replaced(rows[better], other.rows(better))

    def without_doubtful(self, state: Fitted) -> Fitted:
        """Take out copies that are not worth their parameters, one after the other."""
        rows = torch.arange(len(state.cost))
        for _ in range(self.search.slots):
            current = state.rows(rows)
            mass = current.coefficients[:, :-1]
            variance = current.spread.diagonal(dim1=1, dim2=2)
            doubtful = (current.copies.material >= 0) & (mass.square() < _DOUBTFUL * variance)
            pattern, slot = torch.nonzero(doubtful, as_tuple=True)
            if not len(pattern):
                break
            copies = current.copies.rows(pattern)
            material = copies.material.clone()
            material[torch.arange(len(slot)), slot] = -1
            trials = self.fitted(rows[pattern], Copies(material, copies.strain, copies.shape), (0, 0, 0, 3))
            state, rows = self.judged(state, rows, pattern, trials, "drop")
        return state

    def tried(self, state: Fitted, rows: Tensor, proposals: Proposals, name: str) -> tuple[Fitted, Tensor]:
        """Fit what is proposed; the state with the best changes, and the patterns that were changed."""
        if not len(proposals.pattern):
            return state, rows[:0]
        copies = proposals.applied(state.copies.rows(rows))
        many = self.search.lines.components[proposals.material] > 2
        parts = []
        for steps, which in ((_CHANGE_MANY, many), (_CHANGE, ~many)):
            index = torch.nonzero(which)[:, 0]
            if not len(index):
                continue
            blunt = (*steps[:_BLUNT], *[0] * (len(steps) - _BLUNT))
            first = self.fitted(rows[proposals.pattern[index]], copies.rows(index), blunt)
            places = proposals.slot * (self.search.slots + 1) + proposals.other + 1
            change = (proposals.pattern * (self.search.slots + 1) ** 2 + places) * len(
                self.search.lines.components
            ) + proposals.material
            kept = best_of_each(change[index], first.cost, _KEPT_STARTS)
            parts.append((index[kept], first.rows(kept)))
        index, first = torch.cat([i for i, _ in parts]), joined([f for _, f in parts])
        pattern = proposals.pattern[index]
        nearly = self.fitted(rows[pattern], first.copies, (*[0] * _BLUNT, _CHANGE[_BLUNT], 0))
        kept = best_of_each(pattern, nearly.score, _KEPT_CHANGES)
        sharp = (*[0] * (_BLUNT + 1), _CHANGE[-1])
        trials = self.fitted(rows[pattern[kept]], nearly.copies.rows(kept), sharp)
        return self.judged(state, rows, pattern[kept], trials, name)

    def judged(
        self, state: Fitted, rows: Tensor, pattern: Tensor, trials: Fitted, name: str
    ) -> tuple[Fitted, Tensor]:
        """The state with the best trial of each pattern where it is better, and the patterns changed."""
        gain = self.badness(state)[rows][pattern] - self.badness(trials)
        better = torch.nonzero(gain > _BETTER)[:, 0]
        best = better[best_of_each(pattern[better], -gain[better], 1)]
        self.say(name, len(pattern), len(best))
        changed = rows[pattern[best]]
        return state.replaced(changed, trials.rows(best)), changed

    def badness(self, fitted: Fitted) -> Tensor:
        """What is to be small: the evidence decides, but where the phases are known the cost alone."""
        if self.told is None:
            return fitted.score
        return self.search.settings.points * torch.log(fitted.cost.clamp_min(1e-30))

    def say(self, name: str, tried: int, taken: int) -> None:
        if self.tell:
            self.tell(name, tried, taken)


def best_of_each(group: Tensor, cost: Tensor, count: int) -> Tensor:
    """Indices of the `count` lowest costs (M,) of each group (M,)."""
    order = torch.argsort(cost)
    order = order[torch.argsort(group[order], stable=True)]
    place = torch.arange(len(order))
    first = torch.ones_like(place, dtype=torch.bool)
    first[1:] = group[order][1:] != group[order][:-1]
    begin = torch.where(first, place, 0).cummax(0).values if len(place) else place
    return order[place - begin < count]
