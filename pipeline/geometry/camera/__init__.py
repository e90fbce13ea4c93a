"""The camera: its model, lens distortion, projection, and how far points are from what a camera saw."""
