"""Detection, calibration and triangulation of a whole capture, as parallel Dask tasks."""
