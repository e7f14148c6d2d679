"""Networks: architectures, losses and the model file."""

from mixrd.network.compact import NETWORK_VERSION, CompactNetwork, Estimate
from mixrd.network.losses import estimate_loss, total_variation_distance
from mixrd.network.model import Model, Problem, build_network

__all__ = [
    "NETWORK_VERSION",
    "CompactNetwork",
    "Estimate",
    "Model",
    "Problem",
    "build_network",
    "estimate_loss",
    "total_variation_distance",
]
