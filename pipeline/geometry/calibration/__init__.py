"""Cameras from people: initial rigs, resection, bundle adjustment, moving cameras."""
