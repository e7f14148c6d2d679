from __future__ import annotations

import dataclasses

import pytest

from mixrd.errors import MixrdError
from mixrd.network import architecture_named, architectures
from mixrd.training import TrainingSettings

SETTINGS = TrainingSettings(samples=1000)


def test_the_papers_choices() -> None:
    assert (SETTINGS.batch, SETTINGS.learning_rate, SETTINGS.loss) == (512, 2e-4, "tvd")
    assert (SETTINGS.schedule, SETTINGS.precision, SETTINGS.compile) == ("constant", "float32", False)
    # 9e5 N samples are 1758 N steps of 512.
    assert TrainingSettings(samples=9 * 10**5).steps == 1758
    assert {SETTINGS.learning_rate_at(step) for step in (0, 1, 10**6)} == {2e-4}


def test_every_architecture_suggests_settings_that_are_allowed() -> None:
    for architecture in architectures():
        settings = TrainingSettings(samples=1000, **architecture.training)
        assert (settings == SETTINGS) == (not architecture.training)
    assert not architecture_named("table1").training


def test_cosine_rises_and_falls() -> None:
    settings = TrainingSettings(samples=200 * 10, batch=10, learning_rate=1.0, schedule="cosine")
    rates = [settings.learning_rate_at(step) for step in range(200)]
    assert rates[0] == pytest.approx(0.1) and max(rates) == rates[9] == rates[10] == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[105] == pytest.approx(0.5)
    assert 0 < rates[-1] < 1e-3


@pytest.mark.parametrize(
    "change",
    [
        {"samples": 0},
        {"batch": 1},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"loss": "l1"},
        {"precision": "int8"},
        {"schedule": "steps"},
        {"parts": 3},
        {"largest_gradient": 0.0},
        {"seed": -1},
    ],
)
def test_settings_out_of_range(change: dict[str, object]) -> None:
    with pytest.raises(MixrdError, match="Allowed"):
        dataclasses.replace(SETTINGS, **change)  # type: ignore[arg-type]


def test_fingerprint() -> None:
    """All that a training cannot change on its way; its length only where the learning rate hangs on it."""

    def of(**change: object) -> int:
        return dataclasses.replace(SETTINGS, **change).fingerprint(96, 3)  # type: ignore[arg-type]

    assert 0 <= of() < 2**63
    assert of() == of(samples=2000) == of(compile=True)
    assert of(schedule="cosine") != of(schedule="cosine", samples=2000)
    assert len({of(), of(seed=1), of(batch=2), of(loss="mse"), of(precision="bf16"), of(parts=2)}) == 6
    assert SETTINGS.fingerprint(97, 3) != of() != SETTINGS.fingerprint(96, 4)
