"""Calibrations in TOML: one module per program, with its writer; `camera_toml` reads all of them."""
