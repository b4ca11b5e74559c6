"""Training of a network, with checkpoints, hard-example mining and a model card."""
