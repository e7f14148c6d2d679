"""`mixrd train`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mixrd.network import Model


def test_writes_a_model_of_these_phases(network_file: Path) -> None:
    model = Model.load(network_file)
    assert model.names == ("fluorite", "halite")
    assert len(model.history) == 1


def test_second_training_comes_from_the_cache(run) -> None:
    arguments = ("train", "halite", "--instrument", "lab-cu", "--range", "25", "61", "--steps", "1")
    first = run(*arguments, "-o", "one.mixrd")
    second = run(*arguments, "-o", "two.mixrd")
    assert (first.code, second.code) == (0, 0)
    assert "cache" not in first.err
    assert "cache" in second.err
    assert Path("one.mixrd").read_bytes() == Path("two.mixrd").read_bytes()


def test_existing_model_is_refused_before_training(run) -> None:
    Path("model.mixrd").write_text("mine", encoding="utf-8")
    shown = run("train", "halite", "--instrument", "lab-cu", "--steps", "1")
    assert shown.code == 2
    assert "--force" in shown.err
    assert Path("model.mixrd").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["halite"], "--instrument"),
        (["halite", "rock salt", "--instrument", "lab-cu"], "same structure"),
        (["halite", "halite", "--instrument", "lab-cu"], "same structure"),
        (["halite", "--instrument", "lab-cu", "--steps", "0"], "steps"),
        (["halite", "--instrument", "lab-cu", "--max-strain", "0.5"], "max_strain"),
        (["halite", "--instrument", "lab-cu", "--device", "abacus"], "abacus"),
        (["halite", "--instrument", "lab-cu", "--range", "60", "25"], "range"),
    ],
)
def test_wrong_input_is_exit_2(run, arguments: list[str], said: str) -> None:
    shown = run("train", *arguments)
    assert shown.code == 2
    assert said in shown.err
    assert "Traceback" not in shown.err


def test_json_tells_what_was_trained(run) -> None:
    arguments = ("train", "halite", "--instrument", "lab-cu", "--range", "25", "61", "--steps", "1")
    told = json.loads(run(*arguments, "--json").out)
    assert told["phases"] == ["halite"] and told["steps"] == 1
    assert told["sha256"] == Model.load(told["file"]).sha256
