"""The matched network: a dictionary of strained copies, then a closer look at each candidate's lines."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mixrd.errors import ParameterError
from mixrd.network.architecture import HEADED, architecture
from mixrd.network.candidate_heads import CandidateHeads, PatternParts
from mixrd.network.candidate_lines import Basis, CandidateLines, Lines
from mixrd.network.compact import prepared
from mixrd.network.head_outputs import (
    SHAPE_RANGES,
    AllOutputs,
    HeadOutputs,
    HeadTruth,
    laplace_sigma,
    strain_likelihood,
)
from mixrd.network.heads import HeadedNetwork
from mixrd.network.line_fit import FitStart, LineFit
from mixrd.network.line_windows import LineWindows
from mixrd.network.log_sine_axis import LogSineAxis
from mixrd.network.matched_trunk import MatchedTrunk
from mixrd.network.mixing import Mixing, mixing_layer
from mixrd.network.strain_dictionary import StrainDictionary

#: Numbers that tell the materials apart, those that are kept of the dictionary's reading, and those of the
#: summary that the windows are read with.
_NAME, _READ, _ABOUT = 16, 6, 8
#: Numbers that a closer look gives of each line.
_SEEN = 16
#: Candidates that are fitted together, numbers that a fit gives of each, and the blur of each fit (degrees).
_FITTED_AT_ONCE, _FITTED, _BLUR_DEG = 12, 4, (0.2, 0.12, 0.09)
#: How far a fraction follows the fit before anything is learnt, as the logarithm of the odds.
_TRUST = -3.0
#: Fractions are told apart on a logarithmic scale down to this.
_LEAST = 2e-3
#: Strains this near the best one, in units of the largest, count to the first estimate of the strain.
_NEAR = 0.15
#: Strains are looked at up to this multiple of the largest.
_REACH = 1.1


@architecture(
    "matched", "matched filter over strained copies, then closer looks at lines; heads", training=HEADED
)
@architecture(
    "matched-fits",
    "the matched network, then fits of the likely candidates together; heads",
    training=HEADED,
    fits=2,
)
@architecture("matched-fits-3", "the matched network, then three such fits; heads", training=HEADED, fits=3)
class MatchedNetwork(HeadedNetwork):
    """Reads a pattern with the help of the candidates' lines.

    On an axis of ln sin theta a convolutional trunk gives features along the pattern; a matched filter sums
    them over the lines of each of G strained copies of each material. The best copies give each candidate a
    first strain and a token; tokens exchange, and tell presence, fraction and strain. In each further round
    the network looks at windows around the lines of the most likely candidates, beside the sticks that the
    others' fractions put there, and corrects all estimates.

    Parameters
    ----------
    points : int
        Length of the patterns.
    materials : int
    lines, bases, wavelength_angstrom
        As in `CandidateLines`.
    strain_components, max_strain, shape_ranges
        As in `HeadedNetwork`; components as many as there are strain tensors unless given.
    start_deg, step_deg : float
        The patterns' grid in degrees 2theta.
    rounds : int
        Closer looks.
    fits : int
        Further ones, before each of which the candidates are fitted all together (`LineFit`).
    looked_at : int
        Candidates that a closer look is for.
    copies, bins, features, widths, hidden, width, window : int or sequence
        Sizes: strained copies of a material, bins of the axis, features along it, channels of the trunk,
        its summary, a candidate's token, bins around a line.
    mixing : {"mixer", "attention"}
    """

    def __init__(
        self,
        *,
        points: int,
        materials: int,
        lines: Sequence[Lines],
        bases: Sequence[Basis],
        wavelength_angstrom: float,
        strain_components: tuple[int, ...] | None = None,
        max_strain: float = 0.05,
        shape_ranges: tuple[tuple[float, float], ...] = SHAPE_RANGES,
        start_deg: float = 10.0,
        step_deg: float = 0.015,
        rounds: int = 2,
        fits: int = 0,
        looked_at: int = 16,
        copies: int = 256,
        bins: int = 1024,
        features: int = 8,
        widths: tuple[int, ...] = (16, 24, 32, 48, 64, 64),
        hidden: int = 128,
        width: int = 48,
        window: int = 25,
        mixing: Mixing = "mixer",
    ) -> None:
        super().__init__(
            materials=materials,
            strain_components=strain_components or tuple(map(len, bases)),
            max_strain=max_strain,
            shape_ranges=shape_ranges,
        )
        if len(lines) != materials or list(map(len, bases)) != list(self.strain_components):
            raise ParameterError(
                f"lines of {len(lines)} materials, {list(map(len, bases))} strain tensors",
                remedy=f"Give those of {materials} materials with {list(self.strain_components)} components",
            )
        self.looked_at, self.fitted_at_once = min(looked_at, materials), min(_FITTED_AT_ONCE, materials)
        self.axis = LogSineAxis(points=points, bins=bins, start_deg=start_deg, step_deg=step_deg)
        self.trunk = MatchedTrunk(bins=bins, features=features, widths=widths, hidden=hidden)
        candidates = CandidateLines(lines, bases, wavelength_angstrom)
        self.dictionary = StrainDictionary(
            candidates, self.strain_components, max_strain=max_strain, copies=copies, axis=self.axis
        )
        most = candidates.components
        self.register_buffer("_there", candidates.there, persistent=False)
        self.read = nn.Linear(features, _READ)
        self.name = nn.Parameter(0.3 * torch.randn(materials, _NAME))
        self.first = nn.Linear(_READ + 3 + 2 * most + _NAME, width)
        self.general = nn.Linear(hidden, width)
        self.about = nn.Linear(hidden, _ABOUT) if rounds + fits else nn.Identity()
        self.fits = nn.ModuleList(
            LineFit(
                candidates,
                max_strain=max_strain,
                wavelength_angstrom=wavelength_angstrom,
                start_deg=start_deg,
                step_deg=step_deg,
                points=points,
                blur_deg=_BLUR_DEG[min(n, len(_BLUR_DEG) - 1)],
            )
            for n in range(fits)
        )
        self.fitted = nn.ModuleList(nn.Linear(_FITTED + most, width) for _ in range(fits))
        self.trust = nn.ModuleList(nn.Linear(width, 1) for _ in range(fits))
        for layer in self.trust:
            assert isinstance(layer, nn.Linear)
            nn.init.constant_(layer.bias, _TRUST)
        rounds += fits
        looks = [
            LineWindows(candidates, self.axis, window=window, summary=_ABOUT, hidden=32, features=_SEEN)
            for _ in range(rounds)
        ]
        self.windows = nn.ModuleList(looks)
        self.seen = nn.ModuleList(nn.Linear(look.outputs + 2 * most + 2, width) for look in looks)
        self.mixing = nn.ModuleList(mixing_layer(mixing, materials, width) for _ in range(rounds + 1))
        self.heads = nn.ModuleList(
            CandidateHeads(
                candidates.there,
                width=width,
                hidden=hidden,
                seen=_SEEN if n else 0,
                corrects=n > rounds - fits,
            )
            for n in range(rounds + 1)
        )

    _there: Tensor

    def outputs(self, patterns: Tensor) -> HeadOutputs:
        """What all heads say of (B, N) patterns in any positive unit."""
        return self.all_outputs(patterns).rounds[-1]

    def all_outputs(self, patterns: Tensor) -> AllOutputs:
        """The heads after each round, and the dictionary's reading (M, G, B), for `own_loss`."""
        with torch.autocast(patterns.device.type, enabled=False):
            even = prepared(patterns.float(), "linear")
            seen = self.axis(even)
        along, summary = self.trunk(seen)
        tokens, strain, reading = self._first_look(along)
        tokens = self.mixing[0](tokens + self.general(summary).unsqueeze(1))
        parts = self.heads[0](tokens, summary, strain)
        rounds = [parts.outputs]
        about = self.about(summary) if len(self.windows) else summary
        for number in range(len(self.windows)):
            fit = number - len(self.windows) + len(self.fits)
            if fit >= 0:
                tokens, parts = self._fit(fit, even, tokens, parts)
            before = parts.outputs
            tokens, strain, shapes = self._closer_look(number, seen, about, tokens, parts)
            tokens = self.mixing[number + 1](tokens)
            wide = torch.cat([summary.float(), shapes], dim=1)
            parts = self.heads[number + 1](tokens, wide, strain, before)
            rounds.append(parts.outputs)
        return AllOutputs(tuple(rounds), (reading,))

    def own_loss(self, further: tuple[Tensor, ...], truth: HeadTruth) -> Tensor:
        """Cross-entropy between the dictionary's reading and the copies that are nearest to the truth."""
        return strain_likelihood(
            further[0], self.dictionary.strain, self.relative_strain(truth.strain), truth.fractions,
            self._there,
        )  # fmt: skip

    def _first_look(self, along: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens (B, M, D), strains (B, M, C) and the reading (M, G, B), from features (B, F, X)."""
        with torch.autocast(along.device.type, enabled=False):
            # The first number that is read is how well a copy fits; the copies that do say the others.
            weight, bias = self.read.weight, self.read.bias
            reading, share, seen = self.dictionary(along.float(), weight[0], bias[0])
            table = self.dictionary.strain
            largest, best = reading.max(1)
            with torch.no_grad():
                near = self._nearness(best, table)
            # The logarithm of the mean of exp(reading).
            evidence = largest - (share.gather(1, best.unsqueeze(1)).squeeze(1) * reading.shape[1]).log()
            mean, square = torch.cat([table, table.square()], dim=2).mT.matmul(share).chunk(2, dim=1)
            spread = (square - mean.square()).clamp_min(1e-6).sqrt()
            local = share * near
            mass = local.sum(1, keepdim=True)
            strain = table.mT.matmul(local) / (mass + 1e-9)
            read = torch.einsum("of,mfb->mob", weight, seen) + bias.unsqueeze(1)
            numbers = torch.stack([evidence, largest, mass.squeeze(1)], dim=1)
            said = torch.cat([read, numbers, strain, spread], dim=1).permute(2, 0, 1)
            tokens = torch.cat([said, self.name.expand(along.shape[0], -1, -1)], dim=-1)
        return self.first(tokens), strain.permute(2, 0, 1), reading

    @staticmethod
    def _nearness(best: Tensor, table: Tensor) -> Tensor:
        """(M, G, B): 1 at the best copies (M, B), less the farther away."""
        strain = table[torch.arange(len(table), device=table.device).unsqueeze(1), best]
        square = table.square().sum(2, keepdim=True) - 2 * table.matmul(strain.mT)
        return torch.exp((square + strain.square().sum(2).unsqueeze(1)) * (-0.5 / _NEAR**2))

    def _fit(
        self, number: int, patterns: Tensor, tokens: Tensor, parts: PatternParts
    ) -> tuple[Tensor, PatternParts]:
        """Tokens and estimates after a fit of the most likely candidates."""
        with torch.no_grad(), torch.autocast(patterns.device.type, enabled=False):
            out = parts.outputs.in_float32()
            chosen = self._likely(out, self.fitted_at_once)
            wide = chosen.unsqueeze(-1).expand(-1, -1, parts.strain.shape[2])
            before = parts.strain.float().clamp(-_REACH, _REACH).gather(1, wide)
            width = parts.strain.new_zeros(parts.strain.shape).float()
            width[:, self._there] = laplace_sigma(out.strain_log_width)
            own = out.scores.softmax(-1).gather(1, chosen)
            shape = self._centre + self._half * out.shape
            found, significance, strain = self.fits[number](
                patterns,
                FitStart(
                    chosen, before, width.gather(1, wide), own,
                    laplace_sigma(out.fraction_log_width).gather(1, chosen), shape[:, 0].exp(), shape[:, 1],
                ),
            )  # fmt: skip
            change = strain - before
            said = torch.stack(
                [found, found - own, torch.tanh(significance / 5), significance.clamp_min(0).log1p()], dim=-1
            )
            further = (found.clamp_min(_LEAST).log() - own.clamp_min(_LEAST).log()).clamp(-2, 2)
        news = self.fitted[number](torch.cat([said, change], dim=-1)).float()
        tokens = tokens.float().scatter_add(1, chosen.unsqueeze(-1).expand_as(news), news)
        trust = torch.sigmoid(self.trust[number](tokens).float())[..., 0].gather(1, chosen)
        scores = parts.outputs.scores.float().scatter_add(1, chosen, trust * further)
        moved = parts.strain.scatter_add(1, wide, change)
        return tokens, PatternParts(parts.outputs._replace(scores=scores), moved)

    @staticmethod
    def _likely(out: HeadOutputs, count: int) -> Tensor:
        """(B, P) the most likely candidates."""
        return (out.scores.float() + 0.5 * out.presence.float()).topk(count, dim=1, sorted=False).indices

    def _closer_look(
        self, number: int, seen: Tensor, about: Tensor, tokens: Tensor, parts: PatternParts
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens (B, M, D), strains (B, M, C) and what the lines say of their shape (B, 16)."""
        out = parts.outputs
        with torch.no_grad():
            strain = parts.strain.clamp(-_REACH, _REACH)
            fraction, presence = out.scores.float().softmax(-1), out.presence.float()
            chosen = self._likely(out, self.looked_at)
            own = fraction.gather(1, chosen)
            there = presence.gather(1, chosen).sigmoid()
            wide = chosen.unsqueeze(-1).expand(-1, -1, strain.shape[2])
            before = strain.gather(1, wide)
        window = self.windows[number]
        found, change = window(seen, about, chosen, self.max_strain * before, own)
        change = change / self.max_strain
        further = torch.stack([own, there], dim=-1)
        news = self.seen[number](torch.cat([found, change, before, further], dim=-1)).float()
        tokens = tokens.float().scatter_add(1, chosen.unsqueeze(-1).expand_as(news), news)
        shapes = (found[..., :_SEEN] * own.unsqueeze(-1)).sum(1)
        return tokens, strain.scatter_add(1, wide, change), shapes
