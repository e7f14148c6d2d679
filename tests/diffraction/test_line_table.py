"""Lines of many strained copies at once, against structure factors of each strained crystal."""

from __future__ import annotations

import pytest
import torch

from mixrd.crystal import StrainMode
from mixrd.diffraction import LineTable, Reflections, radiation, reflections, strained_sticks
from mixrd.phases import load_phase

NAMES = ("corundum", "gypsum", "quartz", "pyrite")


def tables(strain: StrainMode = "symmetry", beam: str = "CuKa") -> list[Reflections]:
    return [
        reflections(load_phase(name), radiation(beam), two_theta_range=(10.0, 90.0), strain=strain)
        for name in NAMES
    ]


def amplitudes(found: list[Reflections], copies: list[int], largest: float) -> torch.Tensor:
    """(S, C), zero where a material has fewer strains."""
    most = max(len(table.strain_basis) for table in found)
    generator = torch.Generator().manual_seed(3)
    drawn = largest * (2 * torch.rand(len(copies), most, generator=generator, dtype=torch.float64) - 1)
    for row, material in zip(drawn, copies, strict=True):
        row[len(found[material].strain_basis) :] = 0
    return drawn


@pytest.mark.parametrize("mode", ["symmetry", "general"])
@pytest.mark.parametrize("beam", ["CuKa", "MoKa"])
def test_lines_are_those_of_the_structure_factors(mode: StrainMode, beam: str) -> None:
    """Up to 6 % of each strain, the largest that a refinement allows."""
    found = tables(mode, beam)
    copies = [2, 0, 1, 3, 1]
    strain = amplitudes(found, copies, 0.06)
    lines = LineTable(found).at(torch.tensor(copies), strain)
    assert lines.copy.tolist() == sorted(lines.copy.tolist())
    for copy, material in enumerate(copies):
        own = lines.copy == copy
        count = len(found[material].strain_basis)
        expected = strained_sticks(found[material], strain[copy : copy + 1, :count])
        torch.testing.assert_close(lines.g_squared[own], expected.g_squared[0], rtol=1e-12, atol=0)
        largest = float(expected.intensity.max())
        assert float((lines.intensity[own] - expected.intensity[0]).abs().max()) < 1e-9 * largest


@pytest.mark.parametrize("mode", ["symmetry", "general"])
def test_rates_are_those_of_finite_differences(mode: StrainMode) -> None:
    found = tables(mode)
    copies = torch.arange(len(found))
    strain = amplitudes(found, copies.tolist(), 0.01)
    table = LineTable(found)
    lines = table.at(copies, strain)
    for component in range(strain.shape[1]):
        step = torch.zeros_like(strain)
        step[:, component] = 1e-6
        above, below = table.at(copies, strain + step), table.at(copies, strain - step)
        for name in ("g_squared", "intensity"):
            expected = (getattr(above, name) - getattr(below, name)) / 2e-6
            rate = getattr(lines, f"{name}_rate")[:, component]
            scale = float(expected.abs().max()) + float(getattr(lines, name).abs().max())
            torch.testing.assert_close(rate, expected, rtol=1e-6, atol=1e-7 * scale)


def test_a_strain_that_a_material_lacks_does_nothing() -> None:
    found = tables()
    cubic = NAMES.index("pyrite")
    strain = torch.zeros(2, 4, dtype=torch.float64)
    strain[1, 1:] = 0.01
    lines = LineTable(found).at(torch.tensor([cubic, cubic]), strain)
    first, second = (lines.intensity[lines.copy == copy] for copy in (0, 1))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert (lines.g_squared_rate[:, 1:] == 0).all() and (lines.intensity_rate[:, 1:] == 0).all()


def test_reflections_of_one_line_are_added_up() -> None:
    (table,) = tables()[:1]
    line = torch.arange(len(table)) // 2
    strain = torch.tensor([[0.002, -0.001]], dtype=torch.float64)
    zero = torch.zeros(1, dtype=torch.long)
    apart, merged = (LineTable([table], which).at(zero, strain) for which in (None, [line]))
    expected = torch.zeros(int(line.max()) + 1, dtype=torch.float64).index_add(0, line, apart.intensity)
    # Each is scaled from where its last reflection stands: alike lines are alike in all of this.
    assert len(merged.g_squared) == len(expected)
    at_rest = LineTable([table], [line]).at(zero, torch.zeros_like(strain)).intensity
    unstrained = LineTable([table]).at(zero, torch.zeros_like(strain)).intensity
    torch.testing.assert_close(at_rest, torch.zeros_like(at_rest).index_add(0, line, unstrained))


def test_autograd_agrees_with_the_rates() -> None:
    found = tables()[1:2]
    strain = torch.full((1, len(found[0].strain_basis)), 0.003, dtype=torch.float64, requires_grad=True)
    lines = LineTable(found).at(torch.zeros(1, dtype=torch.long), strain)
    (slope,) = torch.autograd.grad(lines.intensity.sum(), strain)
    torch.testing.assert_close(slope[0], lines.intensity_rate.sum(0))


def test_no_material_has_no_strain() -> None:
    table = LineTable(tables())
    assert table.components.tolist()[-1] == 0
    assert table.count.tolist() == [len(x) for x in tables()]


def test_the_same_to_the_last_digit_wherever_it_lies_in_memory() -> None:
    """A last digit that changes from run to run can tip the decisions of a refinement."""
    table = tables()[1]
    kept, found = [], []
    for count in range(6):
        kept.append(torch.rand(10 + 7 * count))
        copy = Reflections(
            **{k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in vars(table).items()}
        )
        found.append(
            LineTable([copy]).at(torch.zeros(1, dtype=torch.long), torch.zeros(1, 4, dtype=torch.float64))
        )
    assert all(torch.equal(one.intensity, found[0].intensity) for one in found)
