"""Labelled data, training and scoring of the segmentation networks."""
