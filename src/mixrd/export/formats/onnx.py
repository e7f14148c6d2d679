"""A trained network as ONNX: normalisation in the graph, all else that is needed in the file's metadata."""

from __future__ import annotations

import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mixrd.errors import ModelError, UsageError
from mixrd.export.export_format import network_export_format
from mixrd.network import Estimate, Model, estimate_from

#: The graph's outputs and what they are; a network has those that it has heads for.
OUTPUTS = {
    "fractions": "weight fractions of the phases, rows sum to 1",
    "strain": "amplitudes along each phase's symmetry-allowed strains, phase after phase",
    "inverse_size_per_nm": "inverse Scherrer size (K = 0.9) of the phases in 1/nm",
}
#: Largest difference to torch that is let pass.
TOLERANCE = 1e-5
_OPSET = 18
#: Patterns of the comparison with torch.
_TRIAL = 5


@network_export_format("onnx")
def onnx_bytes(model: Model) -> bytes:
    """The network as an ONNX file's contents, compared with torch on patterns of its grid.

    Input ``patterns`` (batch, points), float32: counts in the bins of the model's grid, any positive unit.
    Outputs as `mixrd.network.Estimate`: ``fractions`` (batch, phases), ``strain`` (batch, components) and
    ``inverse_size_per_nm`` (batch, phases). The entry ``mixrd`` of the metadata holds `description`.

    Raises
    ------
    UsageError
        If onnx, onnxscript or onnxruntime is not installed.
    ModelError
        If the exported network does not say what the trained one says.
    """
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as missing:
        raise UsageError(
            f"{missing.name} is not installed", remedy="Install it: pip install 'mixrd[onnx]'"
        ) from None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        _export(model, path)
        graph = onnx.load(str(path))
    onnx.helper.set_model_props(graph, {"mixrd": json.dumps(description(model))})
    graph.producer_name = "mixrd"
    graph.doc_string = "Weight fractions of phases from powder diffraction patterns; see metadata 'mixrd'."
    contents: bytes = graph.SerializeToString()
    _compare(model, onnxruntime.InferenceSession(contents, providers=["CPUExecutionProvider"]))
    return contents


def description(model: Model) -> dict[str, Any]:
    """What a user of the graph has to know, as plain data."""
    from mixrd import __version__

    problem = model.problem
    beam = problem.instrument.radiation
    return {
        "mixrd": __version__,
        "model_sha256": model.sha256,
        "input": {
            "name": "patterns",
            "shape": ["batch", problem.points],
            "two_theta_start_deg": problem.start,
            "two_theta_step_deg": problem.step,
            "points": problem.points,
            "resampling": "counts of the scan, spread evenly over the cell of each point, summed over bins "
            "of one step around start + i * step; never extrapolated",
            "unit": "counts or any positive unit; the graph normalises: sqrt(max(y, 0) / max(y))",
        },
        "outputs": {name: OUTPUTS[name] for name in _stated(model.estimate(torch.ones(1, problem.points)))},
        "phases": [
            {
                "name": crystal.name,
                "formula": crystal.formula,
                "space_group": crystal.space_group,
                "cell": list(crystal.cell),
            }
            for crystal in problem.crystals
        ],
        "radiation": beam.name,
        "wavelengths_angstrom": [line.wavelength_angstrom for line in beam.lines],
        "instrument": problem.instrument.name,
        "max_strain": problem.max_strain,
        "size_nm": list(problem.size_nm),
    }


def _stated(estimate: Estimate) -> dict[str, Tensor]:
    """The outputs that an estimate has, by name."""
    values = (estimate.fractions, estimate.strain, estimate.inverse_size)
    return {name: value for name, value in zip(OUTPUTS, values, strict=True) if value is not None}


class _Outputs(nn.Module):
    """The network with a tuple of tensors in place of an Estimate."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, patterns: Tensor) -> tuple[Tensor, ...]:
        """(batch, points) to the outputs."""
        return tuple(_stated(estimate_from(self.network, patterns)).values())


def _export(model: Model, path: Path) -> None:
    module = _Outputs(model.network).eval()
    example = torch.rand(2, model.problem.points) + 0.1
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (example,),
            str(path),
            input_names=["patterns"],
            output_names=list(description(model)["outputs"]),
            dynamic_shapes={"patterns": {0: torch.export.Dim("batch")}},
            opset_version=_OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def _compare(model: Model, session: Any) -> None:
    """Raise ModelError if the graph differs from torch by more than `TOLERANCE`."""
    patterns = np.random.default_rng(0).gamma(0.3, 1000.0, (_TRIAL, model.problem.points)).astype(np.float32)
    expected = _stated(model.estimate(torch.from_numpy(patterns)))
    found = session.run(list(expected), {"patterns": patterns})
    pairs = zip(expected.values(), found, strict=True)
    worst = max(float(np.abs(a.numpy() - b).max()) for a, b in pairs)
    if not worst <= TOLERANCE:
        raise ModelError(
            f"the exported network differs from the trained one by {worst:.2g}",
            remedy="Report this with the versions of torch and onnxruntime",
        )
