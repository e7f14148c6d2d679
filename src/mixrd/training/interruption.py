"""Ctrl-C that waits for the end of a step, so that what is saved is a state between two steps."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType


class Interruption:
    """While it is entered, the first Ctrl-C only sets `requested`; the second interrupts at once.

    Parameters
    ----------
    alone : bool
        Whether a second Ctrl-C interrupts. Not where several processes train together: `torchrun` passes
        the signal on, so that each gets it twice.
    """

    def __init__(self, *, alone: bool = True) -> None:
        self.alone = alone
        self.requested = False

    def __enter__(self) -> Interruption:
        # Python sets signal handlers in the main thread only.
        self._here = threading.current_thread() is threading.main_thread()
        if self._here:
            self._former = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._here:
            signal.signal(signal.SIGINT, self._former)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested and self.alone:
            raise KeyboardInterrupt
        self.requested = True
