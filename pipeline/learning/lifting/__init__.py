"""Lifting: the frozen detector's 2D poses to 3D poses, taught by labels or by the 2D poses of other views alone."""
