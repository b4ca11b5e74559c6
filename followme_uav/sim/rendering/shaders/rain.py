"""Shader of falling rain, over the whole image."""

from __future__ import annotations

from followme_uav.sim.rendering.shaders.glsl import LIGHTS, OUTPUTS, ShaderSource

RAIN = ShaderSource(
    """
#version 330
in vec3 vertex;
void main() { gl_Position = vec4(vertex.xy, 0.0, 1.0); }
""",
    """
#version 330
uniform vec4 rain;          // image height in pixels, phase of the fall, amount
"""
    + OUTPUTS
    + LIGHTS
    + """
float hash(vec2 cell) { return fract(sin(dot(cell, vec2(12.9898, 78.233))) * 43758.5453); }
void main() {
    vec2 at = gl_FragCoord.xy / rain.x;
    float bright = 0.0;
    for (int layer = 0; layer < 2; layer++) {
        float size = layer == 0 ? 90.0 : 44.0;
        vec2 p = vec2((at.x + 0.07 * at.y) * size, at.y * (layer == 0 ? 9.0 : 5.0));
        p.y += hash(vec2(floor(p.x), 7.0)) * 9.0 + rain.y * (layer == 0 ? 7.0 : 5.0);
        float drop = hash(floor(p)) < 0.35 * rain.z ? 1.0 : 0.0;
        float across = 1.0 - smoothstep(0.05, 0.30, abs(fract(p.x) - 0.5));
        float along = fract(p.y);
        drop *= smoothstep(0.0, 0.5, along) * (1.0 - smoothstep(0.7, 1.0, along));
        bright = max(bright, drop * across);
    }
    float share = 0.26 * bright;
    colour_out = vec4(share * (0.3 + 0.8 * fog.rgb), share);
    depth_out = vec4(0.0);
}
""",
)
