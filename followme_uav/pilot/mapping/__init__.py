"""The map that the vehicle makes itself: free space at its height, and the ground below.

`window` is the geometry of cells, `inflation` the surroundings of obstacles. `occupancy_grid` is
the space, `viewed_ground` the ground that was looked at; `surroundings` keeps both up to date.
"""
