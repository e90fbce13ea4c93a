"""The project's own source as data: who imports whom, and a digest of the code that each stage runs."""
