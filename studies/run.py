"""Accuracy on weighed mixtures, from nothing: calibrate, train, analyse; results into studies/results/.

``python studies/run.py [study ...]`` (default all); at the end all results beside their targets. Needs the
measured scans (MIXRD_DATA, default ../shared/data). The commands are those of a user.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import targets

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "studies" / "results"


def mixrd(*arguments: str) -> str:
    """Run the command line; its progress goes to the terminal, its output comes back."""
    print("$ mixrd", *(a if " " not in a else repr(a) for a in arguments), flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "mixrd", *arguments], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode not in (0, 3):
        raise SystemExit(f"mixrd failed with exit code {done.returncode}")
    return done.stdout


def cpd(data: Path, work: Path) -> dict[str, object]:
    """IUCr round robin samples 1a, 1b, 1d, 1g on an instrument calibrated on pure corundum."""
    instrument = _calibrated(data, work)
    text = mixrd(
        "benchmark", "weighed", str(data / "measured" / "cpd"), "--phases", "corundum", "fluorite",
        "zincite", "--instrument", str(instrument), "--json",
    )  # fmt: skip
    return dict(json.loads(text))


def _calibrated(data: Path, work: Path) -> Path:
    instrument = work / "cpd.toml"
    if instrument.is_file():
        return instrument
    standard = data / "measured" / "cpd" / "corundum-pure.prn"
    options = ("--radiation", "CuKa", "--monochromator", "26.6", "-o", str(instrument))
    mixrd("calibrate", str(standard), "--phase", "corundum", *options)
    return instrument


def dara(data: Path, work: Path) -> dict[str, object]:
    """Ten oxide and carbonate mixtures, 8-minute scans: refinement alone, instrument from the header."""
    return _dara(data, work, "scan=8min", "--no-network")


def dara_short(data: Path, work: Path) -> dict[str, object]:
    """The same, 2-minute scans."""
    return _dara(data, work, "scan=2min", "--no-network")


def left_out_cpd(data: Path, work: Path) -> dict[str, object]:
    """Each phase of the round robin left out in turn."""
    folder = str(data / "measured" / "cpd")
    options = ("--instrument", str(_calibrated(data, work)), "--left-out", "--json")
    return dict(json.loads(mixrd("benchmark", "weighed", folder, *options)))


def left_out_dara(data: Path, work: Path) -> dict[str, object]:
    """Each phase of the oxide and carbonate mixtures left out in turn, 8-minute scans.

    The anatase that was weighed in holds rutile, which without its name is warned of in the sample where it
    shows most.
    """
    return _dara(data, work, "scan=8min", "--left-out", "--impurities", "anatase=rutile")


def _dara(data: Path, work: Path, scans: str, *options: str) -> dict[str, object]:
    del work
    folder = str(data / "measured" / "dara")
    return dict(json.loads(mixrd("benchmark", "weighed", folder, "--select", scans, *options, "--json")))


STUDIES = {
    "weighed-cpd": cpd,
    "weighed-dara": dara,
    "weighed-dara-2min": dara_short,
    "left-out-cpd": left_out_cpd,
    "left-out-dara": left_out_dara,
}


def main() -> None:
    """Run the studies, or those that are named, and write one JSON each."""
    chosen = set(sys.argv[1:])
    if unknown := chosen - set(STUDIES):
        raise SystemExit(f"there is no study {', '.join(sorted(unknown))}; there are {', '.join(STUDIES)}")
    data = Path(os.environ.get("MIXRD_DATA", ROOT.parent / "shared" / "data"))
    if not data.is_dir():
        raise SystemExit("the measured scans were not found: set MIXRD_DATA to their folder")
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("MIXRD_CACHE", folder)
        for name, study in STUDIES.items():
            if chosen and name not in chosen:
                continue
            begin = time.monotonic()
            result = study(data, Path(folder))
            result["wall_seconds_with_training"] = round(time.monotonic() - begin, 1)
            (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
            print(name, json.dumps(result.get("summary", result.get("left_out")), indent=2), flush=True)
    targets.show()


if __name__ == "__main__":
    main()
