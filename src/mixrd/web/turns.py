"""What keeps a thread waiting does so in a queue of its own: answers that are quick do not wait behind it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio

T = TypeVar("T")


@dataclass
class Turns:
    """Threads for work that waits for another process, or for another server.

    Attributes
    ----------
    reading, rendering, fetching : CapacityLimiter
        For files that are uploaded, for plots and reports, for structures of COD: one request at a time.
    """

    reading: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(4))
    rendering: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(4))
    fetching: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(1))


async def in_turn(limiter: anyio.CapacityLimiter, work: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """What `work` gives, done in a thread when it is its turn."""
    return await anyio.to_thread.run_sync(functools.partial(work, *arguments, **named), limiter=limiter)
