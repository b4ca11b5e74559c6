"""The street map, the round of the patrol, and the way from one place to another.

`street_map` is geometry on rectangles; `patrol_route` the closed route; `street_places` are landing
places along it; `route_planner` plans.
"""
