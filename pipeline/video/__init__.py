"""Videos: decoding, cameras that fit the frames, packing for random access, and the stage `frames`."""
