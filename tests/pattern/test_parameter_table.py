"""The parameter table and what is read from it."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mixrd.errors import ParameterError, UsageError
from mixrd.pattern import Correction, ForwardModel, Parameters, Quantity, load_instrument
from mixrd.pattern.line_corrections import (
    added_corrections,
    corrections,
    register_correction,
    remove_correction,
)
from mixrd.pattern.parameter_table import by_field, by_loss, parameter_table, places
from mixrd.phases import load_phase


def test_names_are_unique_and_every_value_is_within_its_bounds() -> None:
    table = parameter_table()
    assert len({q.name for q in table}) == len(table)
    for quantity in table:
        assert quantity.lower < quantity.upper
        # A profile's is the instrument's.
        assert quantity.field == "profile" or quantity.lower <= quantity.neutral <= quantity.upper
        if quantity.on_demand is not None:
            assert all(quantity.lower <= x <= quantity.upper for x in quantity.on_demand.starts)


def test_quantities_follow_one_another_without_a_gap() -> None:
    table = parameter_table()
    where = places(table, 5, 3)
    taken = np.concatenate([np.arange(100)[where[q.name]] for q in table])
    assert taken.tolist() == list(range(5 + 4 * 3 + sum(q.scope == "pattern" for q in table)))
    for field, quantities in by_field(table).items():
        assert (where[field].start, where[field].stop) == (
            where[quantities[0].name].start,
            where[quantities[-1].name].stop,
        )


def test_a_loss_is_tried_with_all_its_quantities() -> None:
    losses = {loss.name: [q.name for q in members] for loss, members in by_loss(parameter_table()).items()}
    assert losses == {
        "roughness": ["roughness_share", "roughness_depth"],
        "overspill": ["overspill", "b_offset"],
    }


def test_fields_are_in_the_order_of_the_table_whatever_the_order_they_are_given_in() -> None:
    model = ForwardModel([load_phase("halite")], load_instrument("lab-cu"), np.arange(20.0, 60.0, 0.1))
    reference = model.reference()
    given = dict(reversed(reference.replace(zero=reference.zero + 0.1).values.items()))
    flat = Parameters(**given).flat()
    assert float(flat[0, model.columns_of("zero")]) == pytest.approx(0.1)
    assert torch.count_nonzero(flat - reference.flat()) == 1
    changed = dataclasses.replace(reference, zero=reference.zero + 0.1)
    assert torch.equal(changed.flat(), flat)


def test_what_the_table_does_not_have_is_no_parameter() -> None:
    with pytest.raises(ParameterError, match="zeor"):
        Parameters(zeor=torch.zeros(1, 1))
    with pytest.raises(AttributeError):
        Parameters().zeor  # noqa: B018


def test_an_installed_package_adds_its_corrections(tmp_path: Path) -> None:
    (tmp_path / "hazy.py").write_text(
        "from mixrd.pattern import Correction, Quantity, register_correction\n"
        "haze = Quantity('haze', 'haze', 'mm', 0.0, 1.0)\n"
        "register_correction(Correction((haze,), lambda theta, _, haze: 1 - haze * theta.cos()))\n"
    )
    info = tmp_path / "hazy-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hazy\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[mixrd.corrections]\nhaze = hazy\n")
    program = (
        "from mixrd.fit import Restraints; from mixrd.mixture import ScanSettings;"
        "Restraints(haze=0.1); print(ScanSettings(corrections={'haze': 0.5}).of_scan['haze'])"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "0.5\n", done.stderr


def test_a_name_is_declared_once() -> None:
    haze = Quantity("haze", "haze", "mm", 0.0, 1.0)
    mine, again, taken = (
        Correction((q,), lambda theta, _, haze: 1 - haze * theta.cos())
        for q in (
            haze,
            dataclasses.replace(haze, field="other"),
            dataclasses.replace(haze, field="roughness"),
        )
    )
    register_correction(mine)
    try:
        assert parameter_table()[-1] is haze and corrections()[-1] is added_corrections()[-1] is mine
        with pytest.raises(UsageError, match="haze"):
            register_correction(again)
    finally:
        remove_correction(mine)
    assert haze not in parameter_table() and mine not in corrections()
    with pytest.raises(UsageError, match="haze"):
        register_correction(taken)
