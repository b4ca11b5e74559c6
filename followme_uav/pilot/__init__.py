"""From a mask to a command, without input or output: one step for each frame.

`pilot.Pilot.step` enters the rooms in this order:

    tracking    detections -> measurements -> data association and classification -> track
    mission     state machine
    guidance    velocity, altitude and line of sight that the state asks for
    control     command: PID loops, limits, geofence, obstacle avoidance

`navigation` holds the street map and the routes on it, `safety` what `control` limits commands by.
Without a street map, `mapping` makes one, `planning` finds ways on it, and `search` chooses goals.
"""
