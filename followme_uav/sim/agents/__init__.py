"""Everything that moves in the city: pedestrians, groups, the hero on a route, cars."""
