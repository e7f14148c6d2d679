"""A server that answers as the Crystallography Open Database does, and misbehaves on request."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

CIF = """data_{number}
_chemical_formula_sum            '{formula}'
_chemical_name_mineral           {mineral}
_symmetry_space_group_name_H-M   '{group}'
_cell_angle_alpha                90
_cell_angle_beta                 90
_cell_angle_gamma                90
_cell_length_a                   {a}
_cell_length_b                   {a}
_cell_length_c                   {a}
_cod_database_code               {number}
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
{sites}
"""


def cif_text(number: int, elements: str = "Na Cl", mineral: str = "Halite", a: float = 5.64) -> str:
    """A CIF as COD has them, of the halite structure."""
    one, other = elements.split()
    sites = f"{one} 0 0 0\n{other} 0.5 0.5 0.5"
    formula = " ".join(sorted((one, other)))
    return CIF.format(number=number, formula=formula, mineral=mineral, group="F m -3 m", a=a, sites=sites)


@dataclass
class Answer:
    """What the server says next to one path, instead of what it would."""

    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    wait_seconds: float = 0.0
    cut_at: int | None = None
    trickle_seconds: float = 0.0


@dataclass
class FakeCod:
    """The database: CIF texts by number, answers that were arranged, requests that came."""

    url: str = ""
    cifs: dict[int, str] = field(default_factory=dict)
    arranged: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[tuple[float, str, str]] = field(default_factory=list)
    trickled: int = 0

    def paths(self) -> list[str]:
        return [path for _, path, _ in self.requests]

    def answer(self, target: str) -> Answer:
        """The next answer to this request."""
        parts = urlsplit(target)
        waiting = self.arranged.get(parts.path)
        arranged = waiting.pop(0) if waiting else Answer()
        if arranged.body is not None or arranged.status != 200:
            arranged.body = arranged.body or b"<html>an error</html>"
            return arranged
        if parts.path == "/cod/result":
            arranged.body = self._search({k: v[0] for k, v in parse_qs(parts.query).items()})
            return arranged
        number = parts.path.removeprefix("/cod/").removesuffix(".cif")
        if number.isdigit() and int(number) in self.cifs:
            arranged.body = self.cifs[int(number)].encode()
            return arranged
        return Answer(404, b"<html>404 Not Found</html>")

    def _search(self, query: dict[str, str]) -> bytes:
        """COD's JSON, to the parameters that the interface documents."""
        assert query["format"] == "json"
        found = []
        for number, text in self.cifs.items():
            lines = dict(line.split(None, 1) for line in text.splitlines() if line.startswith("_c"))
            formula = lines["_chemical_formula_sum"].strip("' ")
            present = {part.rstrip("0123456789.") for part in formula.split()}
            wanted = {query[f"el{i}"] for i in range(1, 9) if f"el{i}" in query}
            unwanted = {query[f"nel{i}"] for i in range(1, 5) if f"nel{i}" in query}
            most = int(query.get("strictmax", 99))
            if (
                wanted <= present
                and present.isdisjoint(unwanted)
                and len(present) <= most
                and query.get("formula", formula) == formula
                and query.get("text", "").lower() in text.lower()
            ):
                mineral = lines["_chemical_name_mineral"].strip()
                found.append(
                    {"file": str(number), "formula": f"- {formula} -", "mineral": mineral, "sg": None}
                )
        return json.dumps(found).encode()


def _handler(database: FakeCod) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            database.requests.append((time.monotonic(), self.path, self.headers["User-Agent"]))
            answer = database.answer(self.path)
            body = answer.body or b""
            time.sleep(answer.wait_seconds)
            try:
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(body)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if answer.trickle_seconds:
                    for byte in body:
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                        database.trickled += 1
                        time.sleep(answer.trickle_seconds)
                else:
                    self.wfile.write(body[: answer.cut_at])
                if answer.cut_at is not None:
                    self.close_connection = True
            except OSError:
                pass  # the client did not wait

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler


@pytest.fixture
def cod() -> Iterator[FakeCod]:
    """A running server with four structures; two are the same but for their number."""
    database = FakeCod()
    database.cifs = {
        9000001: cif_text(9000001),
        9000002: cif_text(9000002, a=5.65),
        9000003: cif_text(9000003, "K Cl", "Sylvite", 6.29),
        9000004: cif_text(9000004, "Mg O", "Periclase", 4.21),
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(database))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    database.url = f"http://127.0.0.1:{server.server_port}/cod"
    yield database
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)
