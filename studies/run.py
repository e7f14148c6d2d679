"""Accuracy on weighed mixtures, from nothing: calibrate, train, analyse; results into studies/results/.

Needs the measured scans (MIXRD_DATA, default ../shared/data). The commands are those of a user.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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
    instrument = work / "cpd.toml"
    standard = data / "measured" / "cpd" / "corundum-pure.prn"
    options = ("--radiation", "CuKa", "--monochromator", "26.6", "-o", str(instrument))
    mixrd("calibrate", str(standard), "--phase", "corundum", *options)
    text = mixrd(
        "benchmark", "weighed", str(data / "measured" / "cpd"), "--phases", "corundum", "fluorite",
        "zincite", "--instrument", str(instrument), "--json",
    )  # fmt: skip
    return dict(json.loads(text))


def dara(data: Path, work: Path) -> dict[str, object]:
    """Ten oxide and carbonate mixtures, 8-minute scans: refinement alone, instrument from the header."""
    del work
    folder = str(data / "measured" / "dara")
    text = mixrd("benchmark", "weighed", folder, "--select", "scan=8min", "--no-network", "--json")
    return dict(json.loads(text))


def main() -> None:
    """Run the studies and write one JSON each."""
    data = Path(os.environ.get("MIXRD_DATA", ROOT.parent / "shared" / "data"))
    if not data.is_dir():
        raise SystemExit("the measured scans were not found: set MIXRD_DATA to their folder")
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("MIXRD_CACHE", folder)
        for study in (cpd, dara):
            begin = time.monotonic()
            result = study(data, Path(folder))
            result["wall_seconds_with_training"] = round(time.monotonic() - begin, 1)
            (RESULTS / f"weighed-{study.__name__}.json").write_text(json.dumps(result, indent=2) + "\n")
            print(study.__name__, json.dumps(result["summary"], indent=2), flush=True)


if __name__ == "__main__":
    main()
