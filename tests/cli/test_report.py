"""`mixrd report` makes an HTML file of kept results."""

from __future__ import annotations

from pathlib import Path

REFINE = ("--phases", "fluorite", "halite", "--instrument", "lab-cu", "--no-network")


def test_report_of_a_result(run, scan_file: Path) -> None:
    assert run("analyze", scan_file, *REFINE, "--out", "results").code == 0
    shown = run("report", "results/mixture.json", "-o", "of-today.html", "--title", "Today <1>")
    assert shown.code == 0 and "of-today.html" in shown.err
    text = Path("of-today.html").read_text(encoding="utf-8")
    assert "Today &lt;1&gt;" in text and "fluorite" in text and "data:image/png" in text
    assert "Structures that intensities were calculated from" in text
    again = run("report", "results/mixture.json", "-o", "of-today.html")
    assert again.code == 2 and "--force" in again.err


def test_wrong_use_is_exit_2(run) -> None:
    Path("other.json").write_text("{}", encoding="utf-8")
    for arguments in (["nowhere.json"], ["other.json"], ["other.json", "-o", "report.pdf"]):
        shown = run("report", *arguments)
        assert shown.code == 2 and shown.err.startswith("error: ")
