"""Where trained models are kept, so that the second analysis of the same problem starts at once."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from mixrd.errors import ModelError
from mixrd.files import writing
from mixrd.network import Model
from mixrd.training.recipe import Recipe


def cache_folder() -> Path:
    """Folder of trained models: MIXRD_CACHE, else the user's cache folder."""
    return Path(os.environ.get("MIXRD_CACHE") or platformdirs.user_cache_dir("mixrd")) / "models"


def prepare_cache() -> None:
    """Make the folder of trained models.

    Raises
    ------
    ModelError
        If it cannot be made.
    """
    folder, remedy = cache_folder(), "Set MIXRD_CACHE to a folder that can be written"
    with writing(folder, what="the folder of trained models", error=ModelError, remedy=remedy):
        folder.mkdir(parents=True, exist_ok=True)


def model_path(recipe: Recipe) -> Path:
    """File of the finished model of `recipe` in the cache."""
    return cache_folder() / f"{recipe.sha256[:32]}.mixrd"


def checkpoint_path(recipe: Recipe) -> Path:
    """File of the unfinished training of `recipe` in the cache."""
    return cache_folder() / f"{recipe.sha256[:32]}.training"


def cached_model(recipe: Recipe) -> Model | None:
    """The finished model of `recipe`, or None; a damaged file counts as none."""
    path = model_path(recipe)
    if not path.is_file():
        return None
    try:
        return Model.load(path)
    except ModelError:
        return None
