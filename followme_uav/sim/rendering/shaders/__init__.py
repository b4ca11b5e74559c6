"""GLSL programs of the scene. One pass writes two images: colour, and depth with object number.

The second image holds the planar depth as a 24-bit number in red, green and blue (the unit is
`DEPTH_RANGE_M` / (2^24 - 1)) and the low byte of the object number in alpha; the alpha of the first
is the high byte. These are neither blended nor smoothed. Shadows of movers and rain are blended
into the colours by "source + destination * (1 - source alpha)"; they write no alpha, and
(0, 0, 0, 0) into the second image, which leaves every bit of it as it is.

Panda3D's axes: x east, y north, z up.
"""
