"""A process of our own that is spoken to in lines of JSON: what crashes or hangs there harms nobody here."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from mixrd.errors import MixrdError
from mixrd.web.problems import internal_problem, problem_of

#: Added to the niceness of a child: the page goes first.
NICENESS = 10
#: Seconds that a child has to end by itself once its input is closed.
_GRACE_SECONDS = 3.0
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class ChildDiedError(Exception):
    """The process ended in the middle of its work."""


class Child:
    """A running ``python -m MODULE``.

    Parameters
    ----------
    module : str
        Whose `main` speaks with `Conversation`.
    threads : int
        For its numerical libraries, unless the environment says how many.
    """

    def __init__(self, module: str, *, threads: int) -> None:
        environment = {name: str(threads) for name in _THREADS} | dict(os.environ)
        self._process = subprocess.Popen(
            # -P: no file of the folder we stand in is taken for a module.
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment,
            # Ctrl-C in the terminal is the server's to handle.
            start_new_session=True,
        )
        self._writing = threading.Lock()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; one that has died notices nothing."""
        assert self._process.stdin is not None
        with self._writing, contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """The next message.

        Raises
        ------
        ChildDiedError
            If there is none, because the process has ended.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            self.kill()
            raise ChildDiedError(_how_it_ended(self._process.wait())) from None
        return answer

    def kill(self) -> None:
        """End it now."""
        self._process.kill()

    def close(self) -> None:
        """Let it end, or end it."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Conversation:
    """The child's side: messages from the server, and answers to it.

    Standard output belongs to it from now on; what libraries print goes to standard error. When the server
    has gone, however it went, this process ends.

    Parameters
    ----------
    on_cancel : callable, optional
        Called, in another thread, with the name of a job that the server wants to stop.
    """

    def __init__(self, on_cancel: Callable[[str], None] | None = None) -> None:
        self._out: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        with contextlib.suppress(OSError, AttributeError):
            os.nice(NICENESS)
        self._on_cancel = on_cancel
        self._waiting: list[dict[str, Any]] = []
        self._came = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in sys.stdin:
            message = json.loads(line)
            if message.get("do") == "cancel":
                if self._on_cancel is not None:
                    self._on_cancel(message["job"])
                continue
            with self._came:
                self._waiting.append(message)
                self._came.notify()
        # The server has gone. Checkpoints and results are written whole or not at all.
        os._exit(0)

    def messages(self) -> Iterator[dict[str, Any]]:
        """Messages as they come, until the server goes."""
        while True:
            with self._came:
                self._came.wait_for(lambda: bool(self._waiting))
                message = self._waiting.pop(0)
            yield message

    def answer(self, work: Callable[[dict[str, Any]], Any]) -> None:
        """Say ``{"ok": ...}`` or ``{"error": problem}`` to each message, until the server goes."""
        for message in self.messages():
            file = message.get("file")
            try:
                self.say({"ok": work(message)})
            except MixrdError as error:
                self.say({"error": problem_of(error, file)})
            except Exception as error:
                traceback.print_exc(file=sys.stderr)
                self.say({"error": internal_problem(error, file)})

    def say(self, message: dict[str, Any]) -> None:
        """Send a message to the server."""
        self._out.write(json.dumps(message) + "\n")
        self._out.flush()


def _how_it_ended(code: int) -> str:
    if code < 0:
        return f"signal {-code}" + (": too little memory, perhaps" if code == -9 else "")
    return f"exit code {code}"
