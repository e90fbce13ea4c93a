"""Tests of pipeline/geometry/triangulation/person."""
