"""Checks of what was given with the footage, as alerts and refusals."""
