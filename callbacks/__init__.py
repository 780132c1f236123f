"""What watches a training run: one callback a file, and the writers for TensorBoard."""
