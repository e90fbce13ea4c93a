"""Geometry of cameras and poses: pure numpy, arrays in, arrays out, batched, NaN = missing, float64 inside."""
