"""The map that the vehicle makes itself: free space at its height, and the ground it has looked at.

`window` is the geometry of cells, `inflation` the surroundings of obstacles; `occupancy_grid` and
`viewed_ground` are the two maps, which `surroundings` keeps up to date.
"""
