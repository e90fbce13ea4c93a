"""What all trainings share: the loop and its state, learning rates, batches, devices, processes, checkpoints."""
