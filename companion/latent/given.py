"""What the functions of this package are given, looked at before they begin: one sentence in place of torch's."""

import math

from torch import Tensor

from companion.errors import CompanionError


def rows(values: Tensor, what: str, *, length: int | None = None, least: int = 1) -> Tensor:
    """A table of finite numbers `(N, length)` in float32, itself where it is one already.

    Args:
        values: Of any floating type.
        what: What they are called in the error, as “codes”.
        length: Of each row.
        least: So many rows at least.

    Raises:
        CompanionError: Another shape, too few rows, or a number that is none.
    """
    if values.dim() != 2 or (length is not None and values.shape[1] != length):
        raise CompanionError(
            f"The {what} have the shape {tuple(values.shape)}; give (N, {length or 'numbers'}), a row each."
        )
    if len(values) < least:
        raise CompanionError(f"There are {len(values)} {what}; give {least} or more.")
    return finite(values, what).float()


def finite(values: Tensor, what: str) -> Tensor:
    """The same numbers, if all of them are.

    Raises:
        CompanionError: Some are infinite or not a number.
    """
    if not bool(values.isfinite().all()):
        raise CompanionError(f"Some of the {what} are infinite or not a number; look where they came from.")
    return values


def alike(images: Tensor, others: Tensor, what: str, *, least: int = 1) -> None:
    """Refuse images `(N, C, H, W)` that are of another size than others, too few, or damaged.

    Raises:
        CompanionError: They are.
    """
    if images.dim() != 4 or images.shape[1:] != others.shape[1:] or len(images) < least:
        raise CompanionError(
            f"The {what} have the shape {tuple(images.shape)}, and {least} or more of shape "
            f"(N, {', '.join(map(str, others.shape[1:]))}) are wanted; bring all images to one size."
        )
    finite(images, what)


def number(value: float, what: str, *, least: float, most: float = math.inf) -> float:
    """A finite number between two bounds, both possible.

    Raises:
        CompanionError: It is none.
    """
    if not (math.isfinite(value) and least <= value <= most):
        bounds = f"{least:g} or more" if most == math.inf else f"between {least:g} and {most:g}"
        raise CompanionError(f"{what} cannot be {value:g}; give a number that is {bounds}.")
    return value
