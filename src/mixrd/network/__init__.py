"""Networks: architectures, losses and the model file."""

from mixrd.network.compact import CompactNetwork, Estimate
from mixrd.network.losses import estimate_loss, total_variation_distance
from mixrd.network.model import Model, Problem, build_network

__all__ = [
    "CompactNetwork",
    "Estimate",
    "Model",
    "Problem",
    "build_network",
    "estimate_loss",
    "total_variation_distance",
]
