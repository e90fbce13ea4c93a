"""Label making over a whole capture, in parallel: detect, calibrate, triangulate. The Dask room."""
