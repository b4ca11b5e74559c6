"""Training a network, with checkpoints, hard examples and a model card."""
