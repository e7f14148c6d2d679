"""Mixtures: compositions, the virtual diffractometer and training batches."""

from mixrd.mixture.batch import SAMPLER_VERSION, MixtureBatch, MixtureSampler
from mixrd.mixture.composition import Composition, Kind
from mixrd.mixture.diffractometer import SimulatedScan, simulate
from mixrd.mixture.grains import scatter_intensities
from mixrd.mixture.lines import LineLists, line_lists
from mixrd.mixture.microabsorption import (
    brindley_factors,
    mean_attenuation_per_mm,
    powder_classes,
    solid_attenuations_per_mm,
    true_weights,
)
from mixrd.mixture.sample_ranges import SampleRanges
from mixrd.mixture.scan_settings import ScanSettings

__all__ = [
    "SAMPLER_VERSION",
    "Composition",
    "Kind",
    "LineLists",
    "MixtureBatch",
    "MixtureSampler",
    "SampleRanges",
    "ScanSettings",
    "SimulatedScan",
    "brindley_factors",
    "line_lists",
    "mean_attenuation_per_mm",
    "powder_classes",
    "scatter_intensities",
    "simulate",
    "solid_attenuations_per_mm",
    "true_weights",
]
