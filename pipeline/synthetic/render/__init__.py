"""The renderer: body surface, textures, rooms, ray casting and shading."""
