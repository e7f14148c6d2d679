"""Networks: architectures, losses and the model file."""

from mixrd.network.architecture import Architecture, architecture_named, architectures
from mixrd.network.baselines import NearestNeighbours, ReferenceLeastSquares
from mixrd.network.compact import NETWORK_VERSION, CompactNetwork, Estimate
from mixrd.network.compact_fractions import CompactFractions
from mixrd.network.compact_heads import CompactHeads
from mixrd.network.estimator import FractionEstimator, NetworkEstimator
from mixrd.network.fitted_estimator import FittedEstimator
from mixrd.network.forest import RandomForest
from mixrd.network.fully_connected import FullyConnectedNetwork
from mixrd.network.head_losses import head_loss, total_loss
from mixrd.network.heads import AllOutputs, HeadedNetwork, HeadOutputs, HeadTruth
from mixrd.network.losses import (
    Loss,
    dirichlet_concentration,
    estimate_loss,
    fractions_from,
    loss_named,
    losses,
    total_variation_distance,
)
from mixrd.network.matched import MatchedNetwork
from mixrd.network.model import Model, Problem, build_network
from mixrd.network.pattern_estimate import PatternEstimate
from mixrd.network.registry import build, build_trainable, load_estimator
from mixrd.network.table1 import Table1Network

__all__ = [
    "NETWORK_VERSION",
    "AllOutputs",
    "Architecture",
    "CompactFractions",
    "CompactHeads",
    "CompactNetwork",
    "Estimate",
    "FittedEstimator",
    "FractionEstimator",
    "FullyConnectedNetwork",
    "HeadOutputs",
    "HeadTruth",
    "HeadedNetwork",
    "Loss",
    "MatchedNetwork",
    "Model",
    "NearestNeighbours",
    "NetworkEstimator",
    "PatternEstimate",
    "Problem",
    "RandomForest",
    "ReferenceLeastSquares",
    "Table1Network",
    "architecture_named",
    "architectures",
    "build",
    "build_network",
    "build_trainable",
    "dirichlet_concentration",
    "estimate_loss",
    "fractions_from",
    "head_loss",
    "load_estimator",
    "loss_named",
    "losses",
    "total_loss",
    "total_variation_distance",
]
