"""One person through a recording: the views that show the person, left and right, and bodies that cannot be."""
