"""The rendered world: people who move, clothes, rooms and cameras, for the demo capture and the tests."""
