"""Shaders of shadows: the shadow map of static objects, flat silhouettes of movers."""

from __future__ import annotations

from followme_uav.sim.rendering.shaders.glsl import LIGHTS, OUTPUTS, ShaderSource

SHADOW_MAP = ShaderSource(
    """
#version 330
uniform mat4 p3d_ModelMatrix;
uniform mat4 light_view;
in vec3 vertex;
in vec3 uvl;
out vec3 texture_at;
void main() {
    gl_Position = light_view * p3d_ModelMatrix * vec4(vertex, 1.0);
    texture_at = uvl;
}
""",
    """
#version 330
uniform sampler2DArray city_textures;
in vec3 texture_at;
void main() {
    if (texture(city_textures, texture_at).a < 0.45) discard;
}
""",
)
"""Writes depth as seen from the sun."""

_SILHOUETTE_VERTEX = (
    """
#version 330
uniform mat4 p3d_ModelViewProjectionMatrix;
uniform vec4 casters[COUNT];
uniform vec4 stance[COUNT];
in vec3 vertex;             // along 0..1, across -1..1, index
out vec2 place;
out vec3 shadow_at;
flat out vec2 form;
"""
    + LIGHTS
    + """
void main() {
    int i = int(vertex.z + 0.5);
    vec4 c = casters[i];
    vec2 away = -normalize(sun.xy + vec2(1e-6, 0.0));
    float reach = min(c.w * length(sun.xy) / max(sun.z, 0.05), 3.0 * c.w);
    float wide = 1.6 * stance[i].x;
    float along = mix(-0.14, 1.06 * reach, vertex.x);
    vec3 at = vec3(c.xy + along * away + vertex.y * wide * vec2(-away.y, away.x), c.z + 0.025);
    if (c.w <= 0.0) at = vec3(0.0, 0.0, -50.0);
    gl_Position = p3d_ModelViewProjectionMatrix * vec4(at, 1.0);
    place = vec2(along / reach, vertex.y * wide);
    form = stance[i].xy;
    vec3 lifted = at + 0.2 * sun.xyz + vec3(0.0, 0.0, 0.1);
    shadow_at = (light_view * vec4(lifted, 1.0)).xyz * 0.5 + 0.5;
}
"""
)

_SILHOUETTE_FRAGMENT = (
    """
#version 330
uniform sampler2DShadow shadow_map;
in vec2 place;
in vec3 shadow_at;
flat in vec2 form;
uniform vec4 ground_light;  // y: share of the sun in the light of level ground
"""
    + OUTPUTS
    + LIGHTS
    + """
void main() {
    float u = place.x, v = abs(place.y);
    float half_m = form.x, soft = 0.05 + 0.05 * u;
    float leg = 1.0 - smoothstep(0.065 - soft, 0.065 + soft, abs(v - form.y * (1.0 - 1.7 * u)));
    leg *= smoothstep(-0.07, 0.0, u) * (1.0 - smoothstep(0.50, 0.60, u));
    float trunk = 1.0 - smoothstep(half_m - soft, half_m + soft, v);
    trunk *= smoothstep(0.42, 0.52, u) * (1.0 - smoothstep(0.80, 0.88, u));
    float head = 1.0 - smoothstep(0.7, 1.3, length(vec2((u - 0.92) / 0.085, v / 0.11)));
    float dark = max(max(leg, trunk), head);
    if (form.y > 1.0) dark = 1.0 - smoothstep(0.6, 1.1, length(vec2(2.0 * u - 1.0, v / half_m)));
    dark *= min(1.0, 1.3 * sun.w * ground_light.y) * texture(shadow_map, shadow_at);
    float clear = exp2(-1.442695 * fog.w / gl_FragCoord.w);
    colour_out = vec4(dark * (1.0 - clear) * fog.rgb, dark);
    depth_out = vec4(0.0);
}
"""
)


def silhouette_shader(casters: int) -> ShaderSource:
    """The shader of the shadows of movers: one flat soft silhouette each.

    Uniforms: `casters` holds (x, y, z of the ground, height), `stance` (half width, spread of the
    legs, 0, 0). A spread above 1 is a round shape; height 0 hides the shadow.
    """
    vertex = _SILHOUETTE_VERTEX.replace("COUNT", str(casters))
    return ShaderSource(vertex, _SILHOUETTE_FRAGMENT)
