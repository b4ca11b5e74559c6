"""Serves QuadSim, the Unity simulator of the Udacity follow-me project, which steers itself."""
