"""Comparisons of experiments with each other and with papers, outside the page of one run."""
