"""Parameters of the stage `triangulate`."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.base import Fraction, Positive, Section


class TriangulateParams(Section):
    """Triangulation of the labels."""

    method: Literal["linear", "weighted", "pairwise_median", "robust", "robust_bones"]
    min_confidence: Fraction
    min_views: Annotated[int, Field(ge=2)]
    max_reprojection: Positive
    fix_left_right: bool
    bone_tolerance: Annotated[float, Field(gt=0, le=1)]
    smoothing_s: Annotated[float, Field(ge=0, le=1)]

    def unused(self) -> set[str]:
        """The tolerance of bone lengths for methods that do not use them."""
        return set() if self.method == "robust_bones" else {"bone_tolerance"}
