"""Evaluation of a network on labelled frames: scores, tables, curves and an HTML report."""
