"""Rendered people: who they are, what they do, how their bodies move."""
