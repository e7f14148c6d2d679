"""Registries: what is twice, what there is not, what does not load."""

from __future__ import annotations

import importlib.metadata

import pytest

from mixrd import extensions
from mixrd.errors import ParameterError
from mixrd.extensions import Registry, from_entry_points, names_of


@pytest.fixture
def lamps(monkeypatch: pytest.MonkeyPatch) -> Registry[int]:
    """Lamps of which one package has a bright one, and another that does not load."""
    points = [
        importlib.metadata.EntryPoint("bright", "tests.no_such_module", "mixrd.lamps"),
        importlib.metadata.EntryPoint("dim", "os.path:join", "mixrd.lamps"),
    ]
    monkeypatch.setattr(extensions, "entry_points", lambda group: points if group == "mixrd.lamps" else [])
    return Registry("lamp", group="mixrd.lamps", room="mixrd.export.formats")


def test_things_are_found_by_name(lamps: Registry[int]) -> None:
    lamps.add("b", 2)
    lamps.add("a", 1)
    with pytest.warns(UserWarning, match=r"bright = tests.no_such_module is left out.*No module"):
        assert list(lamps.all().items()) == [("a", 1), ("b", 2)]
    assert lamps.named("b") == 2
    with pytest.raises(ParameterError, match=r"no lamp 'c'. Allowed: a, b"):
        lamps.named("c")
    with pytest.raises(ParameterError, match="there is a lamp 'a' already"):
        lamps.add("a", 3)
    assert lamps.named("a") == 1


def test_names_are_those_of_modules_and_entry_points(lamps: Registry[int]) -> None:
    names = names_of("mixrd.lamps", "mixrd.export.formats")
    assert names == ("bgmn", "bright", "cif", "dim", "fullprof", "gsas2", "onnx", "rietx", "topas")


def test_the_others_load_where_one_does_not(lamps: Registry[int]) -> None:
    loaded = []
    with pytest.warns(UserWarning, match="bright"):
        from_entry_points("mixrd.lamps", lambda point: loaded.append(point.load()))
    assert [one.__name__ for one in loaded] == ["join"]
