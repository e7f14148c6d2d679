"""Experiments: the catalog checked, benchmarks on weighed mixtures."""
