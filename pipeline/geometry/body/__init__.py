"""What is known of the human body: mean proportions, which fix the scale, and the vertical."""
