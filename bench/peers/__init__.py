"""The peers of the geometry, each called through its own public functions."""
