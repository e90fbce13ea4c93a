"""Time offsets between cameras: simulated and real takes out of step, and how well they are synchronised."""
