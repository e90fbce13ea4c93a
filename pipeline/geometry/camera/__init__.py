"""The camera: its model, lens distortion, projection, and reprojection errors."""
