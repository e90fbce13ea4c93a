"""What every training shares: the loop, its state, learning rates, batches, devices, processes, checkpoints."""
