"""Synthetic footage: animated people, rooms and cameras, rendered for the demo and for detector training."""
