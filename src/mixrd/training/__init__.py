"""Training: the recipe, the loop, and the cache of trained models."""

from mixrd.training.batches import Mixtures, PatternSource
from mixrd.training.cache import cache_folder, cached_model
from mixrd.training.learning_curve import LearningPoint
from mixrd.training.loop import TrainingProgress, TrainingResult, train_network
from mixrd.training.precision import best_device, fastest_precision
from mixrd.training.recipe import LEAD_DEG, Recipe, first_reflection_deg
from mixrd.training.scans import train
from mixrd.training.settings import Precision, TrainingSettings

__all__ = [
    "LEAD_DEG",
    "LearningPoint",
    "Mixtures",
    "PatternSource",
    "Precision",
    "Recipe",
    "TrainingProgress",
    "TrainingResult",
    "TrainingSettings",
    "best_device",
    "cache_folder",
    "cached_model",
    "fastest_precision",
    "first_reflection_deg",
    "train",
    "train_network",
]
