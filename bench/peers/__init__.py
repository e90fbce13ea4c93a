"""The libraries that the geometry is compared with, each called through its public functions."""
