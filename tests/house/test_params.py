"""params.yaml and its typed mirror agree, and every key is explained."""

import re
from itertools import pairwise

from ruamel.yaml import YAML

from pipeline.params.file import Params
from tests.house.imports import ROOT

FILE = ROOT / "params.yaml"


def keys(model, prefix=""):
    for name, field in model.model_fields.items():
        if hasattr(field.annotation, "model_fields"):
            yield from keys(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name


def test_file_has_exactly_the_declared_keys():
    def flat(tree, prefix=""):
        for name, value in tree.items():
            yield from flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [prefix + name]

    assert sorted(flat(YAML(typ="safe").load(FILE))) == sorted(keys(Params))


def test_every_key_has_a_comment():
    lines = FILE.read_text().splitlines()
    bare = [
        line.strip()
        for above, line in pairwise(lines)
        if re.match(r" +\w+:", line) and not above.strip().startswith("#") and not line.rstrip().endswith(":")
    ]
    assert not bare, f"Say above each key what it does, with its unit: {bare}"
