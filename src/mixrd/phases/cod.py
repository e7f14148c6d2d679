"""Structures from the Crystallography Open Database, over its REST interface.

Interface: wiki.crystallography.net/RESTful_API. Search is `<base>/result?...&format=json`, a structure
is `<base>/<number>.cif`.
"""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import gemmi

from mixrd.errors import DatabaseError, PhaseNotFoundError, UsageError
from mixrd.files import write_whole, writing
from mixrd.phases.cod_query import CodQuery, CodRecord, number_path

if TYPE_CHECKING:
    import requests

COD_URL = "https://www.crystallography.net/cod"
#: Answers that may be better after a while.
PASSING_FAULTS = frozenset({429, 500, 502, 503, 504})
#: A server may ask to be left alone; beyond this (seconds) we say so rather than wait.
LONGEST_PAUSE = 120.0
#: No structure and no list of them is larger.
LARGEST_ANSWER_BYTES = 200_000_000
_CHUNK_BYTES = 65_536


class StructureSource(Protocol):
    """Where structures with COD numbers come from."""

    def search(self, query: CodQuery) -> list[CodRecord]:
        """Records that satisfy the query, by number."""
        ...

    def cif(self, number: int) -> Path:
        """File of a structure."""
        ...


class _PassingError(Exception):
    """An attempt that failed in a way that another may not."""

    def __init__(self, cause: str, pause: float | None = None) -> None:
        super().__init__(cause)
        self.pause = pause


class CodClient:
    """COD over the network; every structure is kept in a folder and asked for only once.

    Requests come one at a time, spaced, and name the program. What fails in passing is tried again after
    growing pauses, or the pause that the server asks for. A structure enters the folder only when it is
    complete, so that a run which was killed goes on where it was. The folder is laid out as COD's own, and
    can serve as a mirror.

    Parameters
    ----------
    folder : path
        Where structures are kept.
    base_url : str
    delay_seconds : float
        Least time between two requests.
    timeout_seconds : float
        Longest silence of the server.
    answer_seconds : float
        Longest time for a whole answer.
    attempts : int
        How often a request is tried.
    sleep : callable
        What waits some seconds.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        base_url: str = COD_URL,
        delay_seconds: float = 1.0,
        timeout_seconds: float = 30.0,
        answer_seconds: float = 300.0,
        attempts: int = 4,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if min(delay_seconds, timeout_seconds, answer_seconds) < 0 or attempts < 1:
            raise UsageError("a delay, timeout or number of attempts is too small", remedy="Raise it")
        if not base_url.startswith(("http://", "https://")):
            raise UsageError(f"{base_url!r} is no web address", remedy=f"Give one like {COD_URL}")
        self.folder = Path(folder)
        self.base_url = base_url.rstrip("/")
        self.delay_seconds = delay_seconds
        self.timeout_seconds = timeout_seconds
        self.answer_seconds = answer_seconds
        self.attempts = attempts
        self._sleep = sleep
        self._last_request = -float("inf")
        # Loaded here because most that read a crystal never ask the network.
        import requests

        self._session = requests.Session()
        self._session.headers["User-Agent"] = _user_agent()

    def search(self, query: CodQuery) -> list[CodRecord]:
        """Records that satisfy the query, by number.

        Raises
        ------
        DatabaseError
            If COD does not answer, or not with a list of structures.
        """
        try:
            answer = self._get("result", {**query.parameters(), "format": "json"}, _records)
        except FileNotFoundError:
            raise DatabaseError(
                f"there is no search at {self.base_url}/result", remedy="Check the address of the database"
            ) from None
        found = {record.number: record for record in _records(answer) if query.accepts(record)}
        return [found[number] for number in sorted(found)]

    def cif(self, number: int) -> Path:
        """File of a structure, from the folder or else from COD.

        Raises
        ------
        PhaseNotFoundError
            If COD has no such structure.
        DatabaseError
            If COD does not answer, or not with this structure.
        """
        path = self.folder / number_path(number)
        if path.is_file():
            return path
        try:
            answer = self._get(f"{number}.cif", {}, lambda text: check_cif(text, number))
        except FileNotFoundError:
            raise PhaseNotFoundError(
                f"COD has no structure {number}", remedy="Check the number, or search: `mixrd cod search`"
            ) from None
        keep_whole(path, answer)
        return path

    def _get(self, what: str, parameters: Mapping[str, str], check: Callable[[bytes], object]) -> bytes:
        """The answer to a request, which `check` accepts; FileNotFoundError where there is none."""
        pause = max(self.delay_seconds, 0.5)
        cause = ""
        for attempt in range(self.attempts):
            try:
                answer = self._ask(f"{self.base_url}/{what}", parameters)
                check(answer)
                return answer
            except (_PassingError, ValueError) as fault:
                cause = str(fault)
                asked = fault.pause if isinstance(fault, _PassingError) else None
                wait = pause * 2**attempt if asked is None else asked
                if wait > LONGEST_PAUSE:
                    cause += f", and asks to wait {wait:.0f} s"
                    break
                if attempt + 1 < self.attempts:
                    self._sleep(wait)
        raise DatabaseError(
            f"{self.base_url}/{what}: {cause}",
            remedy="Try again later (what has come so far is kept), or use a local mirror with --mirror",
        )

    def _ask(self, url: str, parameters: Mapping[str, str]) -> bytes:
        import requests
        import urllib3

        since = time.monotonic() - self._last_request
        if since < self.delay_seconds:
            self._sleep(self.delay_seconds - since)
        self._last_request = time.monotonic()
        try:
            with self._session.get(
                url, params=dict(parameters), timeout=self.timeout_seconds, stream=True
            ) as response:
                if response.status_code == 404:
                    raise FileNotFoundError(url)
                if response.status_code in PASSING_FAULTS:
                    raise _PassingError(
                        f"the server answers {response.status_code}",
                        _retry_after(response.headers.get("Retry-After")),
                    )
                if response.status_code != 200:
                    raise DatabaseError(
                        f"{url}: the server answers {response.status_code} {response.reason}",
                        remedy="Check the address of the database",
                    )
                return self._body(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _PassingError(_plainly(error)) from None

    def _body(self, response: requests.Response) -> bytes:
        end = time.monotonic() + self.answer_seconds
        body = bytearray()
        # read1 returns what has come: a server that trickles is noticed in time.
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            body += chunk
            if time.monotonic() > end:
                raise _PassingError(f"the answer takes longer than {self.answer_seconds:g} s")
            if len(body) > LARGEST_ANSWER_BYTES:
                raise _PassingError(f"the answer is larger than {LARGEST_ANSWER_BYTES // 10**6} MB")
        return bytes(body)


def check_cif(text: bytes, number: int) -> None:
    """Raise ValueError unless this is the whole CIF of that structure."""
    if text.lstrip()[:1] == b"<":
        raise ValueError("the answer is a web page, not a CIF")
    try:
        document = gemmi.cif.read_string(text.decode("utf-8", errors="replace"))
    except (ValueError, RuntimeError):
        raise ValueError("the answer is cut off or no CIF") from None
    stated = {block.find_value("_cod_database_code") for block in document} - {None}
    if stated != {str(number)}:
        raise ValueError(f"the answer is not the structure {number}")


def keep_whole(path: Path, content: bytes) -> None:
    """Write a file of a database's folder, which is made if need be.

    Raises
    ------
    UsageError
        If it cannot be written.
    """
    with writing(path, remedy="Choose a folder that can"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)


def _records(answer: bytes) -> list[CodRecord]:
    """Records of an answer in JSON; ValueError where it is something else."""
    try:
        data = json.loads(answer)
        # COD's answer to a search without result is an empty list, or an empty object.
        return [CodRecord.from_json(entry) for entry in data] if data else []
    except (ValueError, KeyError, TypeError, AttributeError, UsageError):
        raise ValueError("the answer is no list of structures") from None


def _retry_after(header: str | None) -> float | None:
    """Seconds to wait by a Retry-After header, which holds seconds or a date; None where it holds neither."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None


def _plainly(error: Exception) -> str:
    import requests
    import urllib3

    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "the server is silent"
    if isinstance(error, urllib3.exceptions.HTTPError):
        return "the answer is cut off"
    if isinstance(error, requests.ConnectionError):
        return "the server cannot be reached"
    return f"the request failed ({type(error).__name__})"


def _user_agent() -> str:
    from mixrd import __version__

    return f"mixrd/{__version__} (quantitative powder diffraction)"
