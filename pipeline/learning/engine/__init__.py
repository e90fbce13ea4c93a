"""Parts of every training: the loop and its state, learning rates, batches, devices, processes, checkpoints."""
