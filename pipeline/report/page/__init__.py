"""The appearance of the page: its blocks, charts, images, 3D scenes and templates."""
