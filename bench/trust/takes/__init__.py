"""Takes to judge: simulated ones with known truth, real ones, and what can go wrong with them."""
