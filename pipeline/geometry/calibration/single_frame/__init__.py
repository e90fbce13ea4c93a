"""Calibration of each frame on its own, with a prior on the human build."""
