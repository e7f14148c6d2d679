"""What holds for every command: start-up, help, exit codes, errors without traceback."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

import mixrd

COMMANDS = ["analyze", "benchmark", "bound", "calibrate", "cod", "demo", "export", "instruments", "paper",
            "phases", "plan", "report", "serve", "simulate", "train", "watch"]  # fmt: skip
SUBCOMMANDS = {"benchmark": ["weighed"], "cod": ["get", "sample", "search"],
               "paper": ["bound", "figure", "run", "sizes", "table", "verify"]}  # fmt: skip
CALLS = [*([c] for c in COMMANDS), *([group, c] for group, inner in SUBCOMMANDS.items() for c in inner)]
#: All that print a result; the others write files and say which.
PRINTING = [
    call.split()
    for call in (
        "analyze", "watch", "calibrate", "train", "phases", "instruments", "demo", "bound", "plan",
        "benchmark weighed", "cod get", "cod search", "cod sample",
        "paper table", "paper verify", "paper bound", "paper refine",
    )
]  # fmt: skip
HEAVY = {"torch", "numpy", "scipy", "matplotlib", "rietx", "geddes", "gemmi", "safetensors"}


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom mixrd.cli import main\n"
        f"for command in {[[], *CALLS]!r}:\n"
        "    assert main([*command, '--help']) == 0\n"
        "print('LOADED', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert "cyclopts" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_help_names_every_command(run) -> None:
    shown = run("--help")
    assert shown.code == 0
    assert all(command in shown.out for command in COMMANDS)


@pytest.mark.parametrize("group", SUBCOMMANDS)
def test_help_of_a_group_names_its_commands(run, group: str) -> None:
    shown = run(group, "--help").out.split("Example")[0]
    assert all(f" {command} " in shown for command in SUBCOMMANDS[group])


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_help_of_a_command_shows_an_example(run, call: list[str]) -> None:
    assert f"mixrd {' '.join(call)}" in re.split("Examples?:", run(*call, "--help").out)[1]


@pytest.mark.parametrize("call", PRINTING, ids=" ".join)
def test_what_prints_a_result_prints_json(run, call: list[str]) -> None:
    assert "--json" in run(*call, "--help").out.split("Example")[0]


def test_version(run) -> None:
    shown = run("--version")
    assert (shown.code, shown.out.strip()) == (0, mixrd.__version__)


def test_module_runs_as_a_program() -> None:
    done = subprocess.run([sys.executable, "-m", "mixrd", "frobnicate"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["anlyze"], 'Did you mean "analyze"?'),
        (["analyze"], "SCANS"),
        (["analyze", "a.xy", "--phasse", "quartz"], "Unknown option"),
        (["analyze", "a.xy", "--phases"], "--phases"),
        (["analyze", "a.xy", "--phases", "quartz", "--radius", "wide"], "--radius"),
        (["calibrate", "a.xy"], "--phase"),
        (["simulate", "quartz:1"], "--out"),
    ],
)
def test_wrong_use_is_exit_2_and_a_line(run, arguments: list[str], said: str) -> None:
    shown = run(*arguments)
    assert shown.code == 2
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert said in shown.err
    assert shown.err.count("\n") == 1


def test_no_colour_and_no_box_codes_in_a_pipe() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mixrd", "phases", "quartz"], capture_output=True, text=True, check=True
    )
    assert "quartz" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def _in_a_terminal(*arguments: str, **environment: str) -> str:
    """What the command shows in a terminal."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    command = [sys.executable, "-m", "mixrd", *arguments]
    process = subprocess.Popen(
        command, stdout=theirs, stderr=theirs, env={**clean, "TERM": "xterm-256color", **environment}
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # Linux says so that the other end is closed
            break
        if not part:
            break
        shown += part
    process.wait(timeout=60)
    os.close(ours)
    return shown.decode()


def test_colour_in_a_terminal_unless_no_color_is_set() -> None:
    colour = re.compile(r"\x1b\[[0-9;]*3[0-7]")
    arguments = ("phases", "no-such-phase")
    assert colour.search(_in_a_terminal(*arguments))
    shown = _in_a_terminal(*arguments, NO_COLOR="1")
    assert "no-such-phase" in shown and not colour.search(shown)


BASH = shutil.which("bash")


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "expected"),
    [(["an"], "analyze"), (["watch", "--set"], "--settle"), (["cod", "se"], "search")],
    ids=["command", "option", "command of a group"],
)
def test_completion_in_bash(tmp_path: Path, words: list[str], expected: str) -> None:
    script = tmp_path / "mixrd.bash"
    made = [sys.executable, "-m", "mixrd", "--install-completion", "--shell", "bash", "-o", str(script)]
    subprocess.run(made, check=True, capture_output=True, env={**os.environ, "HOME": str(tmp_path)})
    line = " ".join(["mixrd", *words])
    before = (["mixrd", *words])[-2]
    ask = (
        f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; COMP_LINE='{line}'; "
        f"COMP_POINT={len(line)}; _mixrd mixrd {words[-1]} {before}; echo ${{COMPREPLY[@]}}"
    )
    assert BASH is not None
    done = subprocess.run([BASH, "-c", ask], check=True, capture_output=True, text=True)
    assert expected in done.stdout.split()


def test_output_without_these_characters_is_no_traceback() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "mixrd", "phases", "quartz"], capture_output=True, env=environment
    )
    assert done.returncode == 0
    assert b"a 4.9" in done.stdout


def test_reader_that_goes_away_is_no_traceback() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mixrd", "phases", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    said = process.stderr.read().decode()
    process.wait(timeout=60)
    assert "Traceback" not in said


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_is_130_and_says_that_training_goes_on(tmp_path: Path) -> None:
    environment = {**os.environ, "MIXRD_CACHE": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "mixrd", "train", "fluorite", "halite", "--instrument", "lab-cu",
         "--range", "25", "61", "--steps", "100000", "-o", str(tmp_path / "model.mixrd")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True,
        # A test run in the background may have inherited that Ctrl-C is ignored.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stderr is not None
    first = process.stderr.readline()
    assert "left" in first, "training says how long it will take once it has begun"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "goes on" in rest
    assert "Traceback" not in rest
    assert not (tmp_path / "model.mixrd").exists()
