"""Lifting: 3D poses from the frozen detector's 2D poses, trained on labels or on the detections of all views."""
