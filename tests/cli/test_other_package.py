"""Another package adds a scan format, a warning, an export, phases and an architecture, mixrd untouched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MODULES = {
    "reads.py": """
import numpy as np

from mixrd.scan import Arrays, OpenedFile, ScanFormat, ScanHeader, chosen, register_format


def read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    x, y = np.array([line.split() for line in opened.text.splitlines()[1:]], dtype=float).T
    header = ScanHeader(wavelength_angstrom=1.540593, warnings=(("LAMP_WAS_OLD", "the lamp was old"),))
    return chosen([(Arrays(x, y, None, "others"), header)], scan)


register_format(ScanFormat("Others", lambda opened: opened.text.startswith("OTHERS 1"), read, (".oth",)))
""",
    "writes.py": """
from mixrd.export import Handover, export_format


@export_format("others")
def write(given: Handover) -> dict[str, str]:
    return {f"{given.stem}.oth": "\\n".join(phase.name for phase in given.phases)}
""",
    "warnings.toml": """
[[group]]
title = "The lamp"

[group.warning.LAMP_WAS_OLD]
title = "The lamp was old"
severity = "stop"
refuses = "the lamp was old"
meaning = "Old lamps lie."
remedy = "Buy a new lamp."
""",
    "learns.py": """
from torch import Tensor, nn

from mixrd.network.architecture import architecture


@architecture("one-layer", "a single layer", training={"learning_rate": 1e-3})
class OneLayer(nn.Module):
    def __init__(self, *, points: int, materials: int) -> None:
        super().__init__()
        self.layer = nn.Linear(points, materials)

    def forward(self, patterns: Tensor) -> Tensor:
        return self.layer(patterns)
""",
    "finds.py": """
from mixrd.phases import PhaseSource, load_phase, register_phase_source

from dataclasses import replace

SAMPLES = {name: replace(load_phase("halite"), name=name) for name in ("salt of room 7", "halite")}
register_phase_source(PhaseSource("lab", SAMPLES.get, SAMPLES.values))
""",
    "broken.py": "raise RuntimeError('no lamp')",
}
POINTS = """
[mixrd.scan_formats]
oth = others.reads
broken = others.broken

[mixrd.export_formats]
others = others.writes

[mixrd.warning_texts]
lamp = others:warnings.toml

[mixrd.phase_sources]
lab = others.finds

[mixrd.architectures]
one = others.learns
"""
Mixrd = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("here")


@pytest.fixture(scope="module")
def mixrd(tmp_path_factory: pytest.TempPathFactory, here: Path, scan_file: Path) -> Mixrd:
    """`mixrd ARGUMENTS` where the other package is installed, in a folder with a scan of its format."""
    site = tmp_path_factory.mktemp("site")
    (site / "others").mkdir()
    for name, text in MODULES.items():
        (site / "others" / name).write_text(text, encoding="utf-8")
    about = site / "others-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text(POINTS, encoding="utf-8")
    rows = [line for line in scan_file.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    (here / "runs").mkdir()
    (here / "runs" / "a.oth").write_text("\n".join(["OTHERS 1", *rows]), encoding="utf-8")
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "MIXRD_CACHE": str(here / "cache")}

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mixrd", *arguments],
            cwd=here, env=environment, capture_output=True, text=True,
        )  # fmt: skip

    return call


@pytest.mark.slow
def test_its_scans_are_found_read_warned_of_and_handed_over(mixrd: Mixrd, here: Path) -> None:
    given = (
        "--phases",
        "fluorite",
        "halite",
        "--instrument",
        "lab-cu",
        "--no-network",
        "--no-plots",
        "--jobs",
        "1",
    )
    done = mixrd("analyze", "runs", *given, "--out", "out")
    assert done.returncode == 0, done.stderr
    assert "broken = others.broken is left out" in done.stderr and "no lamp" in done.stderr

    found = json.loads((here / "out" / "a.json").read_text(encoding="utf-8"))
    assert found["statement"] == {"kind": "none", "reason": "the lamp was old"}
    report = (here / "out" / "report.html").read_text(encoding="utf-8")
    assert "Old lamps lie." in report and "Buy a new lamp." in report
    shown = mixrd("export", "out/a.json", "--to", "others", "--scan", "runs/a.oth")
    assert shown.returncode == 0, shown.stderr
    assert "wrote a.oth" in shown.stderr
    offered = " ".join(mixrd("export", "--help").stdout.replace("│", " ").split())
    assert "[choices: bgmn, cif, fullprof, gsas2, onnx, others, rietx, topas]" in offered


@pytest.mark.slow
def test_its_phases_are_listed_and_found(mixrd: Mixrd, here: Path) -> None:
    listed = mixrd("phases", "room 7")
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.splitlines()[:1] == ["lab:"] and "salt of room 7  NaCl" in listed.stdout
    entries = json.loads(mixrd("phases", "NaCl", "--json").stdout)
    assert [(one["category"], one["name"]) for one in entries[-2:]] == [
        ("lab", "salt of room 7"),
        ("lab", "halite"),
    ]
    given = ("--instrument", "lab-cu", "--range", "45", "50")
    made = mixrd("simulate", "salt of room 7:1", "fluorite:1", *given, "-o", "a.xy")
    assert made.returncode == 0, made.stderr
    # The catalog's own keeps its name; that of the package is asked for by its source.
    made = mixrd("simulate", "lab:halite:1", "fluorite:1", *given, "-o", "b.xy")
    assert made.returncode == 0, made.stderr
    unknown = mixrd("simulate", "lab:fluorite:1", *given, "-o", "c.xy")
    assert unknown.returncode == 2 and "unknown phase 'lab:fluorite'" in unknown.stderr


@pytest.mark.slow
def test_its_architecture_is_trained_and_listed(mixrd: Mixrd) -> None:
    small = ("--n", "2", "--k", "2", "--strains", "5", "--test-strains", "3", "--test-patterns", "100",
             "--samples", "64", "--batch", "32", "--device", "cpu", "-o", "paper")  # fmt: skip
    done = mixrd("paper", "run", *small, "--architecture", "one-layer")
    assert done.returncode == 0, done.stderr
    table = json.loads(mixrd("paper", "table", "paper", "--json").stdout)
    assert "one-layer" in {row["architecture"] for row in table["rows"]}
    refused = mixrd("paper", "run", *small, "--architecture", "two-layers")
    assert refused.returncode == 2 and "nnls, one-layer" in refused.stderr


@pytest.mark.slow
def test_its_architecture_is_trained_for_scans_and_read(mixrd: Mixrd) -> None:
    given = ("fluorite", "halite", "--instrument", "lab-cu", "--range", "22", "58", "--steps", "3")
    done = mixrd("train", *given, "--architecture", "one-layer", "-o", "one.mixrd", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["architecture"] == "one-layer" and told["steps"] == 3 and 0 < told["tvd"] < 1
    shown = mixrd("analyze", "runs/a.oth", "--model", "one.mixrd", "--no-plots", "--out", "by-one", "--json")
    assert shown.returncode == 0, shown.stderr
    result = json.loads(shown.stdout)
    # It says fractions alone: the refinement begins without it. The lamp forbids amounts of either.
    assert {"network", "refined"} <= set(result["seconds"])
    assert result["r_wp"] is not None and result["statement"]["reason"] == "the lamp was old"
