"""Refinement of the paper's patterns: which copies of which materials explain them, to the noise limit."""

from mixrd.paper.refinement.refiner import Refined, Refiner

__all__ = ["Refined", "Refiner"]
