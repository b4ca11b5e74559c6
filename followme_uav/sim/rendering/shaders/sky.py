"""Shader of the sky: a gradient, the disc of the sun, clouds."""

from __future__ import annotations

from followme_uav.sim.rendering.shaders.glsl import (
    DEPTH_RANGE_M,
    ENCODE_DEPTH,
    LIGHTS,
    OUTPUTS,
    ShaderSource,
    number,
)

SKY = ShaderSource(
    """
#version 330
uniform mat4 p3d_ModelViewProjectionMatrix;
in vec3 vertex;
in vec3 normal;
in vec3 uvl;
in vec4 tint;
in vec4 number_high;
out vec3 texture_at;        // u, v, layer
out vec3 towards;
flat out vec2 object_number;    // low byte, high byte
void main() {
    gl_Position = p3d_ModelViewProjectionMatrix * vec4(vertex, 1.0);
    texture_at = uvl;
    towards = -normal;
    object_number = vec2(tint.a, number_high.x);
}
""",
    """
#version 330
uniform sampler2DArray city_textures;
uniform vec3 sky_low;
uniform vec3 sky_high;
uniform vec4 cloud;         // colour; w: added cover
uniform vec4 sun_disc;      // direction towards the disc; w: its brightness
in vec3 texture_at;
in vec3 towards;
flat in vec2 object_number;
"""
    + OUTPUTS
    + LIGHTS
    + ENCODE_DEPTH
    + """
void main() {
    vec2 texel = texture(city_textures, texture_at).rg;     // cover and brightness of clouds
    float up = clamp(texture_at.y, 0.0, 1.0);
    vec3 clear = mix(sky_low, sky_high, pow(up, 0.7));
    float near_sun = max(dot(normalize(towards), sun_disc.xyz), 0.0);
    float bright = 0.22 * pow(near_sun, 6.0) + 1.5 * smoothstep(0.9985, 0.9995, near_sun);
    clear += sun_disc.w * bright * sunlight;
    vec3 radiance = mix(clear, cloud.rgb + (0.2 * texel.g - 0.1 * cloud.w) * cloud.rgb / 0.7,
        clamp(texel.r + cloud.w, 0.0, 1.0));
    vec3 hazy = mix(fog.rgb, radiance, exp2(-110.0 * fog.w / (0.06 + up)));
    colour_out = vec4(hazy, object_number.y);
    depth_out = encode_depth(RANGE, object_number.x);
}
""".replace("RANGE", number(DEPTH_RANGE_M)),
)
