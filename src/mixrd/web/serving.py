"""Listening: the socket, the address to open, a clean end."""

from __future__ import annotations

import socket
import threading
import webbrowser
from collections.abc import Callable
from types import FrameType

import uvicorn

from mixrd.errors import UsageError
from mixrd.web.app import create_app
from mixrd.web.services import Services
from mixrd.web.settings import ServerSettings, is_loopback

#: Seconds that open connections have when the server stops.
_GRACE_SECONDS = 3


def serve(settings: ServerSettings, *, on_ready: Callable[[str], None], browser: bool = False) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Parameters
    ----------
    settings : ServerSettings
    on_ready : callable
        Told the address, token included, once the server answers.
    browser : bool
        Open it there.

    Raises
    ------
    UsageError
        If the port is taken, the host is none of this computer's, or the data folder cannot be used.
    """
    listener = _listen(settings.host, settings.port)
    try:
        services = Services.of(settings)
        app = create_app(settings, services)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            ws="none",
        )
        server = _Server(config, lambda: _ready(settings, listener, on_ready, browser=browser), services)
        server.run(sockets=[listener])
        # A second Ctrl-C skips what is done at the end.
        services.stop()
    finally:
        listener.close()


class _Server(uvicorn.Server):
    """Says when it answers, and ends streams of events when it is to stop."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], services: Services) -> None:
        super().__init__(config)
        self._on_ready, self._services = on_ready, services

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._services.dispatcher.announce_stop()
        super().handle_exit(sig, frame)
        # The signal is ours; raised once more when the server has stopped, it would end us with a trace.
        self._captured_signals.clear()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host.strip("[]"), port))
        # So that a port which is taken is known before anything is loaded.
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"cannot listen on {host}:{port} ({error.strerror or error})",
            remedy="Is mixrd serve running already? Else give another --port (0 takes a free one) or --host",
        ) from None
    return listener


def address_of(settings: ServerSettings, port: int) -> str:
    """What to open in a browser."""
    host = settings.host
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    elif is_loopback(host) and ":" not in host:
        host = "127.0.0.1" if host != "localhost" else host
    if ":" in host:
        host = f"[{host.strip('[]')}]"
    token = f"?token={settings.token}" if settings.token else ""
    return f"http://{host}:{port}/{token}"


def _ready(
    settings: ServerSettings, listener: socket.socket, on_ready: Callable[[str], None], *, browser: bool
) -> None:
    address = address_of(settings, listener.getsockname()[1])
    on_ready(address)
    if browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
