"""Fingerprints: hashes of the inputs of a training, to compare trainings."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

import pipeline
from pipeline.code.digest import syntax_hash
from pipeline.code.imports import SourceTree

HASH_DIGITS = 16


def fingerprint(*values: Any) -> str:
    """A hash of arrays, tensors and plain values, and of mappings, sequences and dataclasses of them."""
    digest = hashlib.sha256()
    for value in values:
        _update(digest, value)
    return digest.hexdigest()[:HASH_DIGITS]


@cache
def code_fingerprint(*modules: str) -> str:
    """A hash of the code of modules of `pipeline`, of all modules that they import, and of the version of torch.

    Comments, docstrings and layout do not change it. Modules outside `pipeline` are ignored.
    """
    source = SourceTree(Path(pipeline.__file__).parents[1])
    covered: set[str] = set().union(*(source.closure(name) for name in modules if name in source.modules))
    return fingerprint({name: syntax_hash(source.syntax(name)) for name in covered}, torch.__version__)


def _update(digest: Any, value: Any) -> None:
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        digest.update(f"array {value.dtype} {value.shape};".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif is_dataclass(value) and not isinstance(value, type):
        _update(digest, {field.name: getattr(value, field.name) for field in fields(value)})
    elif isinstance(value, Mapping):
        digest.update(f"mapping {len(value)};".encode())
        for key in sorted(value):
            _update(digest, key)
            _update(digest, value[key])
    elif isinstance(value, list | tuple):
        digest.update(f"sequence {len(value)};".encode())
        for one in value:
            _update(digest, one)
    else:
        digest.update(f"{type(value).__name__} {value!r};".encode())
