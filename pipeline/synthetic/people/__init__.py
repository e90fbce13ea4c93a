"""Animated people: body shape and appearance, actions as keyframes, and the motion that follows from them."""
