"""`mixrd serve`: the web app."""

from __future__ import annotations

import os
import secrets
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from mixrd.cli.console import say
from mixrd.cli.options import Switch
from mixrd.errors import UsageError

EXAMPLES = """Examples:
  mixrd serve
  mixrd serve --port 9000 --data /srv/mixrd --no-browser
  mixrd serve --host 0.0.0.0

From other computers it asks for a token, which stands in the address that is
printed. Ctrl-C stops it; jobs that were running go on at the next start."""

_NEEDED = ("fastapi", "uvicorn", "python_multipart")
_MEGABYTE = 1_000_000


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    data: Path | None = None,
    token: str | None = None,
    allow_host: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    max_upload: float = 100,
    workers: int = 1,
    training_steps: int | None = None,
    no_browser: Switch = False,
) -> int:
    """Open mixrd as a page in the browser: drop scans, choose phases, see the fit.

    The page and a REST interface (documented at /docs) are served on this
    computer; nothing leaves it but a look-up in COD that a user asks for.

    Parameters
    ----------
    host
        Address to listen on; other than this computer's own, a token is needed.
    port
        Port to listen on; 0 takes a free one.
    data
        Folder of jobs and results: MIXRD_DATA_HOME, or one in your home, unless given.
    token
        What users must know: MIXRD_TOKEN unless given; made where one is needed.
    allow_host
        Further names by which browsers may address this server, for example behind a proxy.
    max_upload
        Largest file that is taken, in MB.
    workers
        How many jobs may train at the same time.
    training_steps
        Steps of training a network; more steps, a better network. The usual number unless given.
    no_browser
        Do not open the browser.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"the web app needs {', '.join(missing)}", remedy="Install it with: pip install 'mixrd[web]'"
        )
    from mixrd.web.serving import serve as listen
    from mixrd.web.settings import ServerSettings, default_data_folder, is_loopback

    given = token or os.environ.get("MIXRD_TOKEN") or None
    settings = ServerSettings(
        data=data or default_data_folder(),
        host=host,
        port=port,
        token=given or (None if is_loopback(host) else secrets.token_urlsafe(24)),
        allowed_hosts=tuple(allow_host or ()),
        max_upload_bytes=round(max_upload * _MEGABYTE),
        workers=workers,
        training_steps=training_steps,
    )
    listen(
        settings,
        on_ready=lambda address: say(f"mixrd is at {address}\nCtrl-C stops it."),
        browser=not no_browser,
    )
    say("stopped; jobs that were running go on at the next start")
    return 0
