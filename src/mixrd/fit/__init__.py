"""Least squares through the forward model: restraints, stages, covariances, and which phases are there."""

from mixrd.fit.bound import expected_tvd, fraction_covariance
from mixrd.fit.refinement import Refinement, refine
from mixrd.fit.restraints import Restraints

__all__ = ["Refinement", "Restraints", "expected_tvd", "fraction_covariance", "refine"]
