"""The bug museum: real bugs, built so that a notebook can watch them fail. Never train with these for anything else.

Each exhibit is the right code with a line or two changed, so the difference between a plot of the one and a plot of
the other is those lines. One module a chapter.
"""

from companion.museum.ch01 import (
    UndetachedFakes,
    company_changes_a_picture,
    gradient_conflict,
    keras_momentum_as_eps,
    signal_by_depth,
)
from companion.museum.ch03 import (
    ClippedBeforeTheStep,
    MomentumWasserstein,
    largest_weights,
    with_sigmoid,
)
from companion.museum.ch04 import (
    BatchNormPenalty,
    ChannelNormPenalty,
    OneEpsilonPenalty,
    SquareRootPenalty,
    WholeBatchNormPenalty,
    leak_between_samples,
)

__all__ = [
    "BatchNormPenalty",
    "ChannelNormPenalty",
    "ClippedBeforeTheStep",
    "MomentumWasserstein",
    "OneEpsilonPenalty",
    "SquareRootPenalty",
    "UndetachedFakes",
    "WholeBatchNormPenalty",
    "company_changes_a_picture",
    "gradient_conflict",
    "keras_momentum_as_eps",
    "largest_weights",
    "leak_between_samples",
    "signal_by_depth",
    "with_sigmoid",
]
