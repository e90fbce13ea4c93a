"""Videos: decoding, and frames packed for random access."""
