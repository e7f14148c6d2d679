"""Child processes that do short work: a few at a time, not for ever, and anew when one has died."""

from __future__ import annotations

import queue
import threading
from typing import Any

from mixrd.web.child import Child, ChildDiedError


class Pool:
    """Processes of a module, each started when it is needed.

    Parameters
    ----------
    module : str
        Whose `main` answers each message with ``{"ok": ...}`` or ``{"error": problem}``.
    size : int
        Processes at most.
    longest : float
        Seconds after which a piece of work is given up.
    """

    def __init__(self, module: str, *, size: int, longest: float) -> None:
        self.longest = longest
        self._module, self._size = module, size
        self._free: queue.LifoQueue[Child | None] = queue.LifoQueue()
        for _ in range(size):
            self._free.put(None)

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """The answer to a message, waited for.

        Raises
        ------
        ChildDiedError
            If the process died over it, or took too long.
        """
        child = self._free.get()
        try:
            child = child or Child(self._module, threads=1)
            clock = threading.Timer(self.longest, child.kill)
            clock.start()
            try:
                child.send(message)
                return child.receive()
            finally:
                clock.cancel()
        except ChildDiedError:
            if child is not None:
                child.close()
            child = None
            raise
        finally:
            self._free.put(child)

    def warm_up(self) -> None:
        """Start one of the processes, so that the first to ask is not kept waiting."""
        child = self._free.get()
        self._free.put(child or Child(self._module, threads=1))

    def close(self) -> None:
        """End the processes."""
        for _ in range(self._size):
            try:
                child = self._free.get(timeout=2)
            except queue.Empty:
                return
            if child is not None:
                child.close()
