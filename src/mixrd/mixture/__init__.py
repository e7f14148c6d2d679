"""Mixtures: compositions, the virtual diffractometer and training batches."""

from mixrd.mixture.batch import SAMPLER_VERSION, MixtureBatch, MixtureSampler, SampleRanges
from mixrd.mixture.composition import Composition, Kind
from mixrd.mixture.diffractometer import ScanSettings, SimulatedScan, simulate

__all__ = [
    "SAMPLER_VERSION",
    "Composition",
    "Kind",
    "MixtureBatch",
    "MixtureSampler",
    "SampleRanges",
    "ScanSettings",
    "SimulatedScan",
    "simulate",
]
