"""Epiline: synchronised footage of people in, 3D pose labels and a single-image 3D pose network out."""
