"""Checks of what was given with the footage, by the people in it: cameras, their names, their times."""
