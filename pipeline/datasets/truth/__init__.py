"""Files of true joints beside the videos -> the truth of a capture."""
