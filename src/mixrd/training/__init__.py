"""Training: the recipe, the loops, and the cache of trained models."""

from mixrd.training.cache import cache_folder, cached_model
from mixrd.training.fraction_settings import FractionTraining, Precision
from mixrd.training.fractions import FractionResult, train_fractions
from mixrd.training.learning_curve import LearningPoint
from mixrd.training.loop import TrainingProgress, best_device, train
from mixrd.training.pattern_source import Mixtures, PatternSource
from mixrd.training.precision import fastest_precision
from mixrd.training.recipe import LEAD_DEG, Recipe, first_reflection_deg

__all__ = [
    "LEAD_DEG",
    "FractionResult",
    "FractionTraining",
    "LearningPoint",
    "Mixtures",
    "PatternSource",
    "Precision",
    "Recipe",
    "TrainingProgress",
    "best_device",
    "cache_folder",
    "cached_model",
    "fastest_precision",
    "first_reflection_deg",
    "train",
    "train_fractions",
]
