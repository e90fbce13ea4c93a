"""Frames of the videos, packed for random access: one file of JPEG images a view, with an index beside it."""
