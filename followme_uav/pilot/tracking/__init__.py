"""From detections to the track of the hero.

`measurement` puts a detection on the ground, `classification` says whether it is the hero,
`association` selects the one that continues the track, `track` filters it, `rejected_regions`
remembers where a detection was rejected; `tracker` runs them in this order. `ranging` measures with
depth images, for the observers; `people` places everybody, for landings.
"""
