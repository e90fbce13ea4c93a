"""Parameters of the stage `pretrain`."""

from typing import Annotated

from pydantic import Field

from pipeline.params.base import Count, NotNegative, Positive, Section, Seed


class PretrainParams(Section):
    """Training of the frozen 2D detector."""

    images: Count
    input_px: Annotated[int, Field(ge=32, le=1024, multiple_of=32)]
    width: Annotated[int, Field(ge=8, le=256)]
    steps: Count
    batch_size: Count
    lr: Positive
    warm_up: Annotated[float, Field(ge=0, lt=1)]
    weight_decay: NotNegative
    clip_grad_norm: NotNegative
    seed: Seed
