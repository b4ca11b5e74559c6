"""Conversion of meshes and poses (NED) to nodes and matrices of Panda3D (x east, y north, z up)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from panda3d import core

from followme_uav.messages import Quaternion, Vec3
from followme_uav.sim.rendering.meshes.mesh import LIMB_VERTEX, Mesh
from followme_uav.sim.rendering.shaders.glsl import ShaderSource

CAMERA_MASK = core.BitMask32.bit(0)
"""Bit of the cameras that make images."""
SUN_MASK = core.BitMask32.bit(1)
"""Bit of the camera that draws the shadow map; nodes hidden from it cast no shadow there."""


def shader_of(source: ShaderSource) -> core.Shader:
    """Compile a GLSL program."""
    return core.Shader.make(core.Shader.SL_GLSL, vertex=source.vertex, fragment=source.fragment)


def uniform_array(node: core.NodePath, name: str, count: int) -> NDArray[np.float32]:
    """Give the shader of a node the uniform `vec4 name[count]`.

    Returns:
        (count, 4) zeros; values written into them are used from the next image on.
    """
    values = core.PTA_LVecBase4f.empty_array(count)
    node.set_shader_input(name, values)
    return np.frombuffer(values, dtype=np.float32).reshape(count, 4)


def _panda(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 3) NED to x east, y north, z up."""
    return points[:, [1, 0, 2]] * np.array([1.0, 1.0, -1.0], dtype=np.float32)


def panda_matrix(position_m: Vec3, orientation: Quaternion) -> core.LMatrix4f:
    """Make the matrix of a node at an NED pose; its x axis points right, y forward, z up."""
    w, x, y, z = orientation
    norm = math.sqrt(w * w + x * x + y * y + z * z)
    w, x, y, z = w / norm, x / norm, y / norm, z / norm
    forward = (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y))
    right = (2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x))
    down = (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y))
    rows = []
    for axis, sign in ((right, 1.0), (forward, 1.0), (down, -1.0)):
        rows += [sign * axis[1], sign * axis[0], -sign * axis[2], 0.0]
    return core.LMatrix4f(*rows, position_m[1], position_m[0], -position_m[2], 1.0)


def node_of(mesh: Mesh) -> core.GeomNode:
    """Make a node with one Geom from a mesh."""
    vertices = mesh.vertices.copy()
    vertices["position"] = _panda(vertices["position"])
    vertices["normal"] = _panda(vertices["normal"])
    layout = _vertex_format(has_limbs=mesh.dtype == LIMB_VERTEX)
    data = core.GeomVertexData("mesh", layout, core.Geom.UH_static)
    data.unclean_set_num_rows(len(vertices))
    memoryview(data.modify_array(0)).cast("B")[:] = vertices.tobytes()
    geom = core.Geom(data)
    geom.add_primitive(_faces(mesh.triangles))
    node = core.GeomNode("mesh")
    node.add_geom(geom)
    return node


def _vertex_format(*, has_limbs: bool) -> core.GeomVertexFormat:
    """The layout of `VERTEX`, or of `LIMB_VERTEX`."""
    names, geom = core.InternalName, core.Geom
    array = core.GeomVertexArrayFormat()
    array.add_column(names.get_vertex(), 3, geom.NT_float32, geom.C_point)
    array.add_column(names.get_normal(), 3, geom.NT_float32, geom.C_normal)
    array.add_column(names.make("uvl"), 3, geom.NT_float32, geom.C_other)
    array.add_column(names.make("tint"), 4, geom.NT_uint8, geom.C_color)
    array.add_column(names.make("number_high"), 4, geom.NT_uint8, geom.C_color)
    if has_limbs:
        array.add_column(names.make("limb"), 1, geom.NT_float32, geom.C_other)
    return core.GeomVertexFormat.register_format(core.GeomVertexFormat(array))


def _faces(triangles: NDArray[np.uint32]) -> core.GeomTriangles:
    faces = core.GeomTriangles(core.Geom.UH_static)
    faces.set_index_type(core.Geom.NT_uint32)
    indices = faces.modify_vertices()
    indices.unclean_set_num_rows(len(triangles))
    memoryview(indices).cast("B")[:] = triangles.astype(np.uint32).tobytes()
    faces.set_vertices(indices)
    return faces
