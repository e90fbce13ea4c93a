"""Files of true 3D points: one module per format, and the names of joints in them."""
