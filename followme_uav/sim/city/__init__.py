"""The city: street plan, buildings and styles, solids, spawned objects, rays, light and weather."""
