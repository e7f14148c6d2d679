"""Every kind makes a premise that is what its name says."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from mixrd.errors import MixrdError
from wrong_premises.battery import CONTROL, KINDS
from wrong_premises.premise import Premise, Trial
from wrong_premises.sample import HIGH_ANGLE, LOW_ANGLE, POLYMORPH, SIMILAR, Draw, Sample

DRAW = Draw(phases=("corundum", "fluorite", "calcite", "anatase"), count=(3,))


@pytest.fixture(scope="module")
def sample() -> Sample:
    return DRAW(random.Random(2))


def made(name: str, sample: Sample, folder: Path) -> Premise:
    return KINDS[name].perturb(sample, Trial(random.Random(1), folder))


def test_there_are_many_of_either_base() -> None:
    assert len(KINDS) >= 100
    counts = Counter(base for kind in KINDS.values() for base in kind.bases)
    assert min(counts.values()) >= 50
    assert KINDS[CONTROL].harmless


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.draw == Draw()])
def test_each_can_be_made(name: str, sample: Sample, tmp_path: Path) -> None:
    premise = made(name, sample, tmp_path)
    try:
        scan, crystals, _ = premise.read()
    except MixrdError:
        return  # refused when it is read: the reader's merit
    assert len(scan) > 100
    for truth in premise.truths:
        assert sum(truth.values()) == pytest.approx(100)
        assert set(truth) <= {c.name for c in crystals} | set(sample.truth)


def test_phases_that_are_named(sample: Sample, tmp_path: Path) -> None:
    wrong = made("wrong phases", sample, tmp_path)
    assert wrong.truths == ()
    assert not {c.name for c in wrong.phases} & set(sample.truth)
    most = max(sample.truth, key=lambda name: sample.truth[name])
    left = made("most of it not named", sample, tmp_path)
    assert most not in left.truths[0]
    assert len(left.truths[0]) == 2
    more = made("three absent candidates more", sample, tmp_path)
    assert Counter(more.truths[0].values())[0.0] == 3


def test_two_samples_have_two_truths(sample: Sample, tmp_path: Path) -> None:
    first, second = made("two samples in one scan", sample, tmp_path).truths
    assert first == pytest.approx(sample.truth)
    assert sorted(first.values()) == pytest.approx(sorted(second.values()))
    assert first != second


def test_nothing_is_there_in_noise(sample: Sample, tmp_path: Path) -> None:
    premise = made("noise", sample, tmp_path)
    assert (premise.truths, premise.present) == ((), frozenset())


def test_columns_are_bare_where_the_axis_is_another(sample: Sample, tmp_path: Path) -> None:
    theta = made("theta", sample, tmp_path)
    assert isinstance(theta.scan, Path)
    assert "#" not in theta.scan.read_text(encoding="utf-8")
    assert theta.instrument is not None
    named = made("Q in 1/nm, named", sample, tmp_path)
    assert isinstance(named.scan, Path)
    assert named.scan.read_text(encoding="utf-8").startswith("# q_nm^-1")


def test_tables_name_phases_of_the_catalog() -> None:
    from mixrd.phases import load_phase

    for name in {*SIMILAR.values(), *POLYMORPH.values(), *LOW_ANGLE, *HIGH_ANGLE}:
        assert load_phase(name).name == name
    assert all(one != other for one, other in (*SIMILAR.items(), *POLYMORPH.items()))
