"""Overlays that are blended into the colours, and leave object numbers and depth as they are."""

from __future__ import annotations

from collections.abc import Iterable

from panda3d import core

from followme_uav.messages import Vec3
from followme_uav.sim.rendering.panda import SUN_MASK, shader_of
from followme_uav.sim.rendering.shaders.glsl import ShaderSource


def add_overlay(
    root: core.NodePath,
    name: str,
    points: Iterable[Vec3],
    triangles: Iterable[tuple[int, int, int]],
    shader: ShaderSource,
    sort: int,
) -> core.NodePath:
    """Attach an overlay below `root`.

    Args:
        root: Parent node.
        name: Name of the node.
        points: The vertices; the vertex shader gives them a meaning.
        triangles: Indices of vertices.
        shader: Writes premultiplied colour, and zero depth; see `shaders`.
        sort: Overlays with a higher number are drawn later.
    """
    data = core.GeomVertexData(name, core.GeomVertexFormat.get_v3(), core.Geom.UH_static)
    writer = core.GeomVertexWriter(data, core.InternalName.get_vertex())
    for point in points:
        writer.add_data3(*point)
    faces = core.GeomTriangles(core.Geom.UH_static)
    for triangle in triangles:
        faces.add_vertices(*triangle)
    geom = core.Geom(data)
    geom.add_primitive(faces)
    geom_node = core.GeomNode(name)
    geom_node.add_geom(geom)
    geom_node.set_bounds(core.OmniBoundingVolume())
    geom_node.set_final(True)
    node = root.attach_new_node(geom_node)
    node.set_shader(shader_of(shader))
    node.set_two_sided(True)
    node.set_depth_write(False)
    blend = core.ColorBlendAttrib
    node.set_attrib(blend.make(blend.M_add, blend.O_one, blend.O_one_minus_incoming_alpha))
    write = core.ColorWriteAttrib
    node.set_attrib(write.make(write.C_red | write.C_green | write.C_blue))
    node.set_bin("fixed", sort)
    node.hide(SUN_MASK)
    return node
