"""The application: its commands, and what becomes of errors and Ctrl-C."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Group, Parameter

import mixrd
from mixrd.cli import (
    analyze,
    benchmark,
    bound,
    calibrate,
    cod,
    demo,
    export,
    own_phases,
    paper,
    phases,
    report,
    serve,
    simulate,
    train,
    watch,
)
from mixrd.cli.console import accept_any_character, print_error
from mixrd.errors import InputError, MixrdError

EXIT_OURS = 1
EXIT_INPUT = 2
EXIT_INTERRUPTED = 130

EXAMPLES = """Examples:
  mixrd demo
  mixrd phases calcium
  mixrd calibrate corundum.xy --phase corundum --radiation CuKa
  mixrd analyze scan.xy --phases corundum fluorite --instrument instrument.toml
  mixrd watch /data/today --phases corundum fluorite
  mixrd analyze --help

Exit codes: 0 all well, 1 a failure of mixrd, 2 wrong use or input, 3 some
scans of a batch failed, 130 interrupted."""


def _version() -> str:
    return str(mixrd.__version__)


app = App(
    name="mixrd",
    help="Weight fractions of crystalline phases from powder X-ray diffraction scans.",
    help_epilogue=EXAMPLES,
    help_format="plaintext",
    version=_version,
    # --json has no --no-json: a switch is off unless given.
    default_parameter=Parameter(negative=()),
    # What is asked for stands above how it is put out.
    group_parameters=Group("Parameters", sort_key=9),
    suppress_keyboard_interrupt=False,
)
app.command(analyze.analyze, help_epilogue=analyze.EXAMPLES, sort_key=1)
app.command(watch.watch, help_epilogue=watch.EXAMPLES, sort_key=1)
app.command(calibrate.calibrate, help_epilogue=calibrate.EXAMPLES, sort_key=2)
app.command(train.train, help_epilogue=train.EXAMPLES, sort_key=3)
app.command(simulate.simulate, help_epilogue=simulate.EXAMPLES, sort_key=4)
app.command(own_phases.phases_app)
app.command(phases.instruments, help_epilogue=phases.INSTRUMENTS_EXAMPLES, sort_key=6)
app.command(demo.demo, help_epilogue=demo.EXAMPLES, sort_key=7)
app.command(serve.serve, help_epilogue=serve.EXAMPLES, sort_key=8)
app.command(bound.bound, help_epilogue=bound.BOUND_EXAMPLES, sort_key=9)
app.command(bound.plan, help_epilogue=bound.PLAN_EXAMPLES, sort_key=10)
app.command(export.export, help_epilogue=export.EXAMPLES, sort_key=11)
app.command(report.report, help_epilogue=report.EXAMPLES, sort_key=12)
app.command(cod.cod)
app.command(benchmark.benchmark)
app.command(paper.paper)
app.register_install_completion_command()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default those of the process.
    """
    if arguments is None:
        _collect_rarely()
    accept_any_character()
    try:
        outcome = app(
            arguments,
            exit_on_error=False,
            print_error=False,
            help_on_error=False,
            result_action="return_value",
        )
        sys.stdout.flush()
        return outcome if isinstance(outcome, int) else 0
    except CycloptsError as problem:
        print_error(
            f"{str(problem).rstrip('.')}. `mixrd --help` and `mixrd COMMAND --help` show how to use it."
        )
        return EXIT_INPUT
    except InputError as problem:
        print_error(str(problem))
        return EXIT_INPUT
    except MixrdError as problem:
        print_error(str(problem))
        return problem.exit_code
    except KeyboardInterrupt as interrupt:
        print_error(str(interrupt) or "interrupted; nothing was written.", label="")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (`| head`) has gone; Python would complain once more at shutdown.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OURS


def _collect_rarely() -> None:
    """Spend no second on garbage collection while libraries load and when the process ends.

    Loading torch makes a million objects that stay; by default Python searches them for garbage again
    and again, and once more at exit.
    """
    gc.set_threshold(100_000, 20, 20)
    atexit.register(gc.freeze)
