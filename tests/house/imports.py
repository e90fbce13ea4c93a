"""The import graph of the project, for the tests that hold its rules."""

from pathlib import Path

from pipeline.code.imports import SourceTree

ROOT = Path(__file__).parents[2]
SOURCE = SourceTree(ROOT)
MODULES = sorted(SOURCE.modules)
