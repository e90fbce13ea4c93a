"""Accuracy and speed of the geometry beside its peers; run with: python -m bench.geometry."""
