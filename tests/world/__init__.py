"""The tests' world: people in motion, cameras around them, and a capture on disk with the store of every stage."""
