"""Mixtures: compositions, the virtual diffractometer and training batches."""

from mixrd.mixture.batch import SAMPLER_VERSION, MixtureBatch, MixtureSampler, SampleRanges
from mixrd.mixture.composition import Composition, Kind
from mixrd.mixture.diffractometer import ScanSettings, SimulatedScan, simulate
from mixrd.mixture.figure1 import Figure1Batch, Figure1Draw, Figure1Sampler
from mixrd.mixture.figure1_settings import DrawKind, Figure1Settings
from mixrd.mixture.lines import LineLists, line_lists

__all__ = [
    "SAMPLER_VERSION",
    "Composition",
    "DrawKind",
    "Figure1Batch",
    "Figure1Draw",
    "Figure1Sampler",
    "Figure1Settings",
    "Kind",
    "LineLists",
    "MixtureBatch",
    "MixtureSampler",
    "SampleRanges",
    "ScanSettings",
    "SimulatedScan",
    "line_lists",
    "simulate",
]
