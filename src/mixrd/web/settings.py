"""What `mixrd serve` can be told."""

from __future__ import annotations

import ipaddress
import os
import socket
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from mixrd.errors import UsageError
from mixrd.phases import COD_URL

DEFAULT_PORT = 8765
MEGABYTE = 1_000_000
#: Shortest token that is taken: 16 random characters cannot be guessed.
SHORTEST_TOKEN = 16


@dataclass(frozen=True)
class ServerSettings:
    """Where the server listens, what it keeps and what it allows.

    Attributes
    ----------
    data : path
        Folder of jobs, results, own phases and instruments.
    host, port
        Where it listens; port 0 takes a free one.
    token : str or None
        What every request must carry; None asks for nothing and is allowed on this computer only.
    allowed_hosts : tuple of str
        Further names by which browsers may address the server.
    max_upload_bytes : int
        Largest upload.
    workers : int
        Jobs that may train at the same time.
    training_steps : int or None
        Steps of training a network; None takes the usual number.
    cod_url : str
        Where structures are fetched when a user asks for one.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    token: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    max_upload_bytes: int = 100 * MEGABYTE
    workers: int = 1
    training_steps: int | None = None
    cod_url: str = COD_URL

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise UsageError(f"port {self.port}", remedy="Allowed: 1 to 65535, or 0 for any free one")
        if not 1 <= self.workers <= 64:
            raise UsageError(f"{self.workers} workers", remedy="Allowed: 1 to 64")
        if self.max_upload_bytes < 1:
            raise UsageError("no upload would be small enough", remedy="Raise --max-upload")
        if self.training_steps is not None and self.training_steps < 1:
            raise UsageError(f"{self.training_steps} training steps", remedy="Allowed: 1 or more")
        if self.token is None and not is_loopback(self.host):
            raise UsageError(
                f"{self.host} can be reached from other computers, and no token is set",
                remedy="Set a token, or listen on 127.0.0.1",
            )
        if self.token is not None and not (
            len(self.token) >= SHORTEST_TOKEN and self.token.isascii() and self.token.isprintable()
        ):
            raise UsageError(
                "the token is too short or holds characters that a browser's address cannot",
                remedy=f"Give {SHORTEST_TOKEN} letters and digits or more, or leave it out: one is made",
            )

    @property
    def answers_to(self) -> frozenset[str]:
        """Names, in lower case, that a request may address; addresses of other kinds are looked at apart."""
        names = {"localhost", self.host.lower(), *(name.lower() for name in self.allowed_hosts)}
        if not is_loopback(self.host):
            own = socket.gethostname().lower()
            names |= {own, f"{own}.local"}
        return frozenset(names)


def default_data_folder() -> Path:
    """Folder of the server's data: MIXRD_DATA_HOME, else the user's data folder."""
    return Path(os.environ.get("MIXRD_DATA_HOME") or platformdirs.user_data_dir("mixrd"))


def is_loopback(host: str) -> bool:
    """Whether an address is of this computer alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
