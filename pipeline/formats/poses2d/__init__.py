"""2D poses that other programs wrote, one module for each format."""
