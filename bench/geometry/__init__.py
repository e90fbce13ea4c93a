"""Accuracy and speed of the geometry compared with other libraries; run with: python -m bench.geometry."""
