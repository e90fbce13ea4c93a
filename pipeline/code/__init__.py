"""The project's own source as data: the import graph, and a digest of the code that each stage runs."""
