"""Networks: architectures, losses and the model file."""

from mixrd.network.architecture import Architecture, architecture_named, architectures
from mixrd.network.baselines import NearestNeighbours, ReferenceLeastSquares
from mixrd.network.compact import NETWORK_VERSION, CompactHeads, CompactNetwork
from mixrd.network.estimator import FittedEstimator, FractionEstimator, NetworkEstimator
from mixrd.network.forest import RandomForest
from mixrd.network.head_outputs import HeadOutputs, HeadTruth
from mixrd.network.heads import HeadedNetwork, StrainNetwork
from mixrd.network.losses import (
    dirichlet_concentration,
    fractions_from,
    loss_named,
    losses,
    total_variation_distance,
)
from mixrd.network.matched import MatchedNetwork
from mixrd.network.model import (
    SCAN_ARCHITECTURE,
    Model,
    Problem,
    build_network,
    estimate_from,
    shown,
    unfit_for_scans,
)
from mixrd.network.pattern_estimate import Estimate, PatternEstimate
from mixrd.network.registry import build, build_trainable, load_estimator, options_of
from mixrd.network.table1 import Table1Network

__all__ = [
    "NETWORK_VERSION",
    "SCAN_ARCHITECTURE",
    "Architecture",
    "CompactHeads",
    "CompactNetwork",
    "Estimate",
    "FittedEstimator",
    "FractionEstimator",
    "HeadOutputs",
    "HeadTruth",
    "HeadedNetwork",
    "MatchedNetwork",
    "Model",
    "NearestNeighbours",
    "NetworkEstimator",
    "PatternEstimate",
    "Problem",
    "RandomForest",
    "ReferenceLeastSquares",
    "StrainNetwork",
    "Table1Network",
    "architecture_named",
    "architectures",
    "build",
    "build_network",
    "build_trainable",
    "dirichlet_concentration",
    "estimate_from",
    "fractions_from",
    "load_estimator",
    "loss_named",
    "losses",
    "options_of",
    "shown",
    "total_variation_distance",
    "unfit_for_scans",
]
