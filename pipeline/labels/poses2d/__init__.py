"""Stores of 2D poses: what every source of them has in common, and those from files."""
