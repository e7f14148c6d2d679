"""Training: the recipe, the loop, and the cache of trained models."""

from mixrd.training.cache import cache_folder, cached_model
from mixrd.training.loop import TrainingProgress, best_device, train
from mixrd.training.recipe import LEAD_DEG, Recipe, first_reflection_deg

__all__ = [
    "LEAD_DEG",
    "Recipe",
    "TrainingProgress",
    "best_device",
    "cache_folder",
    "cached_model",
    "first_reflection_deg",
    "train",
]
