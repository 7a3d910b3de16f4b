"""Second derivatives of a critic at a fair price, for the pass behind a gradient penalty (chapter 4).

Differentiating a gradient once more is right in PyTorch, and wasteful twice over. A (leaky) ReLU, whose second
derivative is zero, sends zeros back through the whole critic; and the gradient for a convolution's weights becomes a
convolution whose kernel is as large as the feature map. Inside `second_order` both layers are written such that the
same numbers come out of ordinary backward passes: on two cores a WGAN-GP step is 1.2 times as fast.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight
from torch.overrides import TorchFunctionMode


class second_order(TorchFunctionMode):
    """Inside, ReLUs, leaky ReLUs and 2-D convolutions are cheap to differentiate twice; all else is left alone.

    For penalties on the slope with respect to the *images*: a slope taken with `create_graph=True` with respect to
    the weights of a convolution is refused by autograd as unused.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Called by torch in place of each of its functions."""
        kwargs = kwargs or {}
        if func is F.relu and args:
            return _Kink.apply(args[0], 0.0, *args[1:], *kwargs.values())
        if func is F.leaky_relu and args:
            return _Kink.apply(args[0], *_leak(*args[1:], **kwargs))
        if func is F.conv2d and len(args) == 7 and not isinstance(args[4], str):  # as nn.Conv2d calls it
            images, weight, bias, *geometry = args
            operands = map(_as_autocast_would, (images, weight, bias))
            return _Convolution.apply(*operands, *geometry)
        return func(*args, **kwargs)


class _Kink(Function):
    """max(x, leak · x). Its slope knows no more of x than the sign, so nothing flows back to x through the slope."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, leak: float, inplace: bool = False) -> Tensor:
        if inplace:
            ctx.mark_dirty(inputs)
        outputs = F.leaky_relu(inputs, leak, inplace)
        ctx.leak = leak
        ctx.save_for_backward(outputs)
        return outputs

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (outputs,) = ctx.saved_tensors  # they have the sign of the inputs
        return torch.ops.aten.leaky_relu_backward(gradients[0], outputs.detach(), ctx.leak, True), None, None


class _Convolution(Function):
    """A convolution whose gradient is written as the transposed convolution it is, itself cheap to differentiate."""

    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: tuple[int, int],
        padding: tuple[int, int],
        dilation: tuple[int, int],
        groups: int,
    ) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.geometry = stride, padding, dilation, groups
        return F.conv2d(images, weight, bias, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        images, weight = ctx.saved_tensors
        stride, padding, dilation, groups = ctx.geometry
        to_images = to_weight = to_bias = None
        if ctx.needs_input_grad[0]:
            sides = zip(
                images.shape[2:], gradient.shape[2:], weight.shape[2:], stride, padding, dilation, strict=True
            )
            beyond = [  # rows and columns at the far side that no stride reached
                size - ((steps - 1) * by - 2 * pad + gap * (kernel - 1) + 1)
                for size, steps, kernel, by, pad, gap in sides
            ]
            to_images = F.conv_transpose2d(gradient, weight, None, stride, padding, beyond, groups, dilation)
        if (
            not torch.is_grad_enabled()
        ):  # while the slope itself is being taken, only the images' part is wanted
            if ctx.needs_input_grad[1]:
                to_weight = conv2d_weight(  # type: ignore[no-untyped-call]
                    images, weight.shape, gradient, stride, padding, dilation, groups
                )
            if ctx.needs_input_grad[2]:
                to_bias = gradient.sum((0, 2, 3))
        return to_images, to_weight, to_bias, None, None, None, None


def _leak(negative_slope: float = 0.01, inplace: bool = False) -> tuple[float, bool]:
    return negative_slope, inplace


def _as_autocast_would(operand: Tensor | None) -> Tensor | None:
    """The cast that autocast makes for torch's own functions, and not for ours."""
    if operand is None or not torch.is_autocast_enabled(operand.device.type):
        return operand
    return operand.to(torch.get_autocast_dtype(operand.device.type))
