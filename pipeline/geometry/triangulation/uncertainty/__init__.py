"""How far labels may be off: the detector's noise measured by views left out, errors that views share, and the rig."""
