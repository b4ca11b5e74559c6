"""The score of a network on labelled frames, with tables, curves and a report."""
