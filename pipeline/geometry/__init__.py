"""Geometry of cameras and poses: arrays in, arrays out; batched; NaN means missing; computed in float64."""
