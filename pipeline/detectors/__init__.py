"""Frozen 2D pose detectors behind one protocol, one module each, inference included; `registry` lists them."""
