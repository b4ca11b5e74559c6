"""Images: scene graph, meshes, textures, shaders and light, drawn with Panda3D."""
