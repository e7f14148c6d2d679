"""The frozen set is what was asked for, and what was frozen; the reader of the AMCSD file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import amcsd
import pytest
from frozen_set import FrozenStructure, frozen_crystals, frozen_set


def test_the_list_has_the_promised_kinds() -> None:
    entries = frozen_set()
    assert len({entry.sha256 for entry in entries}) == len(entries) >= 70
    systems = Counter(entry.crystal_system for entry in entries)
    assert len(systems) == 7
    assert min(systems.values()) >= 10
    assert max(entry.atoms for entry in entries) <= 300
    assert sum(entry.anisotropic for entry in entries) >= 15
    assert sum(entry.disordered for entry in entries) >= 10


def test_the_structures_are_those_of_the_list(data_dir: Path) -> None:
    for entry, crystal in frozen_crystals(data_dir):
        found = FrozenStructure(
            entry.identifier,
            crystal.name,
            crystal.crystal_system,
            len(crystal.atoms.site),
            any(site.u_aniso is not None for site in crystal.sites),
            any(site.occupancy < 0.999 for site in crystal.sites),
            entry.sha256,
        )
        assert found == entry


def test_a_changed_structure_is_refused(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import frozen_set as module

    monkeypatch.setattr(module, "frozen_set", lambda: (frozen_set()[0].__class__(
        **{**vars(frozen_set()[0]), "sha256": "0" * 64}),))  # fmt: skip
    with pytest.raises(ValueError, match="not what it was"):
        list(module.frozen_crystals(data_dir))


def test_a_row_of_the_amcsd_file_gives_the_density_that_it_states(data_dir: Path) -> None:
    """Coordinates, occupancies and symmetry together: triclinic, anisotropic, disordered rows of the set."""
    numbers = [int(e.identifier[6:]) for e in frozen_set() if e.identifier.startswith("amcsd:")]
    connection = amcsd.open_database(data_dir)
    rows = [amcsd.row_of(connection, number) for number in numbers]
    connection.close()
    assert len(rows) >= 5
    for row in rows:
        crystal = amcsd.crystal_of(row)
        assert crystal.density_g_cm3 == pytest.approx(float(row["crystal_density"]), rel=0.03)
        assert crystal.volume == pytest.approx(float(row["cell_volume"]), rel=1e-3)


def test_columns_of_the_amcsd_file() -> None:
    # 0 and 0.5 as stored; 2.0 (8000000) stands for "not given", 3.0 for "inapplicable".
    assert amcsd.numbers("AAAAAICEHgA=", 2, 1.0).tolist() == [0.0, 0.5]
    assert amcsd.numbers("ABJ6AA==", 1, 0.25).tolist() == [0.25]
    assert str(amcsd.numbers("ABu3AA==", 1, 0.25)[0]) == "nan"
    with pytest.raises(amcsd.UnusableRowError):
        amcsd.numbers("AAAAAICEHgA=", 3, 1.0)


def test_elements_of_labels() -> None:
    assert amcsd.formula_elements("Na.364 Mn.5 O2.544 H1.088") == {"Na", "Mn", "O", "H"}
    assert amcsd.element_of("SiT1", {"Si", "O"}) == "Si"
    # Not osmium: the formula has none.
    assert amcsd.element_of("Os1", {"Si", "O"}) == "O"
    with pytest.raises(amcsd.UnusableRowError):
        amcsd.element_of("Wat", {"O", "H"})
