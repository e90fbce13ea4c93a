"""When the frames of each view were taken: found from the people, corrected, verified and reported."""
