"""What the command line, REST and Python ask for is the same request, and gives the same result."""

from __future__ import annotations

import dataclasses
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from mixrd.analysis import AnalysisRequest, InternalStandard, StandardScan
from mixrd.batch.analyst import Analyst
from mixrd.cli import main
from mixrd.cli.options import OPTION_OF_FIELD, InstrumentOptions
from mixrd.cli.preparation_options import PreparationOptions
from mixrd.cli.request_options import RequestOptions
from mixrd.web.bodies import AnalysisBody

FIELDS = {field.name for field in dataclasses.fields(AnalysisRequest)}
#: The server trains as long as its settings say; one of several scans in a file is chosen when it is
#: uploaded; the formula belongs to the external standard.
ELSEWHERE = {"training_steps", "scan", "amorphous_formula"}
#: The network and the scan of `mixrd demo`.
DEMO = Path(str(files("mixrd.experiments") / "demo"))


def test_every_option_is_an_entry_of_the_request() -> None:
    field_of_option = {option: field for field, option in OPTION_OF_FIELD.items()}
    options = {
        field_of_option.get(field.name, field.name)
        for group in (RequestOptions, InstrumentOptions, PreparationOptions)
        for field in dataclasses.fields(group)
    }
    assert options == FIELDS - {"training_steps"}


def test_rest_takes_all_that_the_command_line_takes() -> None:
    assert set(AnalysisBody.model_fields) - {"kind", "scans"} == FIELDS - ELSEWHERE


def _without_times(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != "seconds"}


def _by_command(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    capsys.readouterr()
    phases = ("--phases", "fluorite", "halite", "--no-network", "--json")
    assert main(["analyze", *options, *phases]) == 0
    return _without_times(json.loads(capsys.readouterr().out))


def _by_rest(client: TestClient, user: Any, scan: str, **more: Any) -> dict[str, Any]:
    job = user.finished(user.ask([scan], network=False, **more)["id"])
    assert job["state"] == "done", job
    return _without_times(client.get(f"/api/jobs/{job['id']}/results.json").json())


def _by_python(scan: Path, **more: Any) -> dict[str, Any]:
    request = AnalysisRequest(("fluorite", "halite"), network=False, **more)
    again = AnalysisRequest.from_dict(json.loads(json.dumps(request.to_dict())))
    return _without_times(json.loads(Analyst(again).analyse(scan).to_json()))


def test_the_same_request_gives_the_same_result(
    client: TestClient, user: Any, scan: dict[str, Any], scan_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_command = _by_command(
        capsys, str(scan_file), "--instrument", "lab-cu", "--particle-size", "3", "--standard", "halite:40",
        "--exclude", "26-27", "50.5-51", "--amorphous", "38:8.3",
    )  # fmt: skip
    by_python = _by_python(
        scan_file,
        instrument="lab-cu",
        particle_size_um=3.0,
        standard=InternalStandard("halite", 40.0),
        exclude=((26.0, 27.0), (50.5, 51.0)),
        amorphous=("38:8.3",),
    )
    by_rest = _by_rest(
        client,
        user,
        scan["id"],
        instrument="lab-cu",
        particle_size_um=3,
        standard={"phase": "halite", "percent": 40},
        exclude=[[26, 27], [50.5, 51]],
        amorphous=[{"humps": "38:8.3"}],
    )
    assert by_command["provenance"]["preparation"]["excluded_deg"] == [[26.0, 27.0], [50.5, 51.0]]
    assert by_command["hump_shares"]
    assert by_python == by_command
    assert by_rest == by_command


def test_scans_beside_the_sample_do_too(
    client: TestClient, user: Any, scan: dict[str, Any], scan_file: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    pure, glass = tmp_path / "pure.xy", tmp_path / "glass.xy"
    simulated = ("--instrument", "lab-cu", "--range", "24", "62", "-o", str(pure))
    assert main(["simulate", "halite:1", *simulated]) == 0
    rows = [f"{20 + 0.05 * i:.2f} {1000 + 10 * (i % 7) + 20 * min(i, 900 - i)}" for i in range(900)]
    glass.write_text("# wavelength 1.5406\n" + "\n".join(rows) + "\n", encoding="utf-8")
    by_command = _by_command(
        capsys, str(scan_file), "--monochromator", "26.6", "--external-standard", f"halite:{pure}",
        "--amorphous", str(glass), "--grinding", "by-hand",
    )  # fmt: skip
    by_python = _by_python(
        scan_file,
        monochromator_two_theta=26.6,
        external_standard=StandardScan("halite", str(pure)),
        amorphous=(str(glass),),
        grinding="by-hand",
    )
    ids = [user.upload(path)["id"] for path in (pure, glass)]
    by_rest = _by_rest(
        client,
        user,
        scan["id"],
        monochromator_two_theta=26.6,
        external_standard={"phase": "halite", "scan": ids[0]},
        amorphous=[{"scan": ids[1]}],
        grinding="by-hand",
    )
    assert by_command["absolute"]["method"] == "external standard"
    assert list(by_command["hump_shares"]) == ["glass"]
    assert by_python == by_command
    assert by_rest == by_command
    assert client.delete(f"/api/scans/{ids[1]}").status_code == 409  # a job uses it


def test_a_network_of_the_users_is_taken_as_the_command_line_does(
    client: TestClient, user: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    network, scan = DEMO / "demo.mixrd", DEMO / "demo.xy"
    with network.open("rb") as file:
        answer = client.post("/api/models", files={"file": ("mine.mixrd", file)})
    assert answer.status_code == 201, answer.text
    model = answer.json()
    assert model["title"] == "mine.mixrd" and set(model["phases"]) == {"corundum", "fluorite", "zincite"}
    assert model in client.get("/api/models").json()

    given = {"kind": "analysis", "scans": [user.upload(scan)["id"]], "refine": False, "model": model["id"]}
    job = client.post("/api/jobs", json=given).json()
    assert job["title"] == f"demo.xy: {', '.join(model['phases'])}"
    assert user.finished(job["id"])["state"] == "done"
    by_rest = _without_times(client.get(f"/api/jobs/{job['id']}/results.json").json())
    capsys.readouterr()
    assert main(["analyze", str(scan), "--model", str(network), "--no-refine", "--json"]) == 0
    assert by_rest == _without_times(json.loads(capsys.readouterr().out))

    for wrong, code in (
        ({"phases": ["halite"]}, "MODEL"),
        ({"network": False, "refine": True}, "INPUT"),
        ({"model": "none"}, "NOT_FOUND"),
        ({"model": None}, "INPUT"),
        ({"refine": True, "standard": {"phase": "halite", "percent": 20}}, "PARAMETER"),
    ):
        refused = client.post("/api/jobs", json={**given, **wrong})
        assert refused.status_code in (404, 422), refused.text
        assert refused.json()["error"]["code"] == code
    assert client.delete(f"/api/models/{model['id']}").status_code == 204
    assert client.delete(f"/api/models/{model['id']}").status_code == 404


@pytest.mark.parametrize(
    "content", [b"", b"no network", (DEMO / "demo.mixrd").read_bytes()[:5000], b"\xff" * 99]
)
def test_what_is_no_network_is_refused(client: TestClient, content: bytes) -> None:
    answer = client.post("/api/models", files={"file": ("bad.mixrd", content)})
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "MODEL" and error["remedy"] and error["file"] == "bad.mixrd"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"amorphous": [{"humps": "nonsense"}]}, "PARAMETER"),
        ({"amorphous": [{"scan": "none"}]}, "NOT_FOUND"),
        ({"amorphous": [{}]}, "INPUT"),
        ({"exclude": [[27, 26]]}, "INPUT"),
        ({"exclude": [[26, 27]], "refine": False, "network": True}, "INPUT"),
        ({"second_opinion": "rietx", "refine": False, "network": True}, "INPUT"),
        ({"second_opinion": "nobody"}, "INPUT"),
        ({"instrument": "lab-cu", "goniometer_radius_mm": 173}, "INPUT"),
    ],
)
def test_what_makes_no_sense_is_refused(
    client: TestClient, scan: dict[str, Any], wrong: dict[str, Any], code: str
) -> None:
    asked = {"kind": "analysis", "scans": [scan["id"]], "phases": ["halite"], "network": False, **wrong}
    answer = client.post("/api/jobs", json=asked)
    assert answer.status_code in (404, 422), answer.text
    assert answer.json()["error"]["code"] == code


def test_a_job_of_an_older_version_is_understood(client: TestClient, scan: dict[str, Any], user: Any) -> None:
    """What its request does not hold is as it was before there was a choice."""
    services = client.app.state.services
    request = {
        "kind": "analysis", "scans": [scan["id"]], "phases": ["fluorite", "halite"], "instrument": None,
        "radiation": None, "monochromator_two_theta": None, "goniometer_radius_mm": None, "network": False,
        "refine": True, "particle_size_um": None, "standard": None,
    }  # fmt: skip
    job = services.jobs.add("analysis", "old", request, ["mixture.xy"], quick=True)
    services.dispatcher.wake()
    assert user.finished(job.id)["state"] == "done"
