"""Worlds as data: the file, generators, the import of OpenStreetMap, and derived geometry.

This package knows neither the simulator nor its rendering. Positions are world NED in metres:
(north, east) pairs; heights (`height_m`) are positive up.
"""
