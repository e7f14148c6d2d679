"""What a text of a warning has to have, and how others add theirs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mixrd.analysis.result.parts import AnalysisWarning
from mixrd.analysis.result.stating import without_those_about_amounts
from mixrd.errors import ParameterError
from mixrd.warning_texts import codes_that, register_warning_texts, warning_texts

LAMP = """
[[group]]
title = "The lamp"

[group.warning.LAMP_FLICKERS]
title = "The lamp flickers"
severity = "{}"
meaning = "Counts  come and go."
remedy = "Buy a new lamp."
about_amounts = true
"""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    warning_texts.cache_clear()


def test_every_text_is_whole() -> None:
    for text in warning_texts().values():
        assert text.meaning and text.remedy and 0 < len(text.title) < 60, text.code


def test_informative_codes_are_notes_and_refusing_ones_stop_or_doubt() -> None:
    assert all(warning_texts()[code].severity == "note" for code in codes_that(lambda one: one.informative))
    refusing = codes_that(lambda one: one.refuses)
    assert refusing == {"WRONG_AXIS", "WRONG_WAVELENGTH"}
    assert all(warning_texts()[code].severity != "note" for code in refusing)


def test_others_add_theirs() -> None:
    register_warning_texts(LAMP.format("doubt"))
    added = warning_texts()["LAMP_FLICKERS"]
    assert (added.group, added.severity, added.meaning) == ("The lamp", "doubt", "Counts come and go.")
    both = [AnalysisWarning("LAMP_FLICKERS", "so it does"), AnalysisWarning("POOR_FIT", "it is")]
    assert [one.code for one in without_those_about_amounts(both)] == ["POOR_FIT"]
    with pytest.raises(ParameterError, match="LAMP_FLICKERS is explained already"):
        register_warning_texts(LAMP.format("doubt"))


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (LAMP.format("awful"), "severity of LAMP_FLICKERS"),
        (LAMP.format("note").replace("remedy", "cure"), "cure"),
        (LAMP.format("note").replace('remedy = "Buy a new lamp."', ""), "remedy"),
        ("group = 3", "iterable"),
        ("[[group", "cannot be read"),
    ],
)
def test_what_is_no_text_is_refused(toml: str, said: str) -> None:
    before = dict(warning_texts())
    with pytest.raises(ParameterError, match=said):
        register_warning_texts(toml)
    assert warning_texts() == before
