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
from companion.museum.ch02 import InOrder, as_bgr, gradients_agree
from companion.museum.ch03 import (
    ClippedBeforeTheStep,
    MomentumWasserstein,
    largest_weights,
    with_sigmoid,
)
from companion.museum.ch04 import (
    ChannelNormPenalty,
    OneEpsilonPenalty,
    SquareRootPenalty,
    WholeBatchNormPenalty,
    leak_between_samples,
)
from companion.museum.ch08 import (
    as_mediapipe_reads,
    found_in_bgr,
    sides_in_the_mirror,
    with_a_clock_in_seconds,
)

__all__ = [
    "ChannelNormPenalty",
    "ClippedBeforeTheStep",
    "InOrder",
    "MomentumWasserstein",
    "OneEpsilonPenalty",
    "SquareRootPenalty",
    "UndetachedFakes",
    "WholeBatchNormPenalty",
    "as_bgr",
    "as_mediapipe_reads",
    "company_changes_a_picture",
    "found_in_bgr",
    "gradient_conflict",
    "gradients_agree",
    "keras_momentum_as_eps",
    "largest_weights",
    "leak_between_samples",
    "sides_in_the_mirror",
    "signal_by_depth",
    "with_a_clock_in_seconds",
    "with_sigmoid",
]
