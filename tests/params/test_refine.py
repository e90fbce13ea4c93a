"""The parameters of refinement."""

import pytest
from pydantic import ValidationError


def test_a_source_that_is_named_twice_is_refused(changed):
    assert changed(refine__sources=["truth", "labels"]).refine.sources == ["truth", "labels"]
    with pytest.raises(ValidationError, match="name each source once"):
        changed(refine__sources=["truth", "truth"])
