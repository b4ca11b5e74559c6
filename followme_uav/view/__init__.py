"""A flight to look at: one set of panels, drawn as plots, as a video, and in the Rerun viewer."""
