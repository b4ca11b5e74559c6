"""Ways through the space that the occupancy grid knows to be free, and the speed along them.

`route_field` is the search for the cheapest ways, `grid_planner` steers along them, `known_space`
limits the speed to what the vehicle can stop from.
"""
