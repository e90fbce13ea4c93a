"""The renderer: body parts, paint, rooms and light."""
