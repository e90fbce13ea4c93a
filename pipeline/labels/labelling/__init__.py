"""Around the labels of a recording: the person they are of, and their summary."""
