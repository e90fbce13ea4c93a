"""How the page looks: its blocks, charts, images, 3D scenes and templates."""
