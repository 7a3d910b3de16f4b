"""What a critic does to gradients: its slope at points, and what reaches each of its layers (chapter 4)."""

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm

from companion.environment import beside
from companion.objectives import Objective


def slope_norms(critic: nn.Module, points: Tensor) -> Tensor:
    """`‖∇f(x)‖₂` at each of the points or images `(N, …)`, shape `(N,)`. A 1-Lipschitz critic nowhere exceeds 1.

    The points go to where the critic is, and the norms come from there.
    """
    points = beside(critic, points.detach()).clone().requires_grad_()
    (slope,) = torch.autograd.grad(critic(points).sum(), points)
    norms: Tensor = vector_norm(slope.flatten(1), dim=1)
    return norms


def gradients_by_layer(critic: nn.Module, objective: Objective, real: Tensor, fake: Tensor) -> list[float]:
    """Norm of the critic loss's gradient with respect to the output of each linear layer, first layer first.

    As Gulrajani et al. 2017 plot it (section 3.2, figure 1b): without the penalty's part, whatever the objective.

    Args:
        critic: With linear layers; read, not changed.
        objective: For its critic loss.
        real: Points or images `(N, …)`.
        fake: Likewise.
    """
    seen: list[Tensor] = []
    layers = [layer for layer in critic.modules() if isinstance(layer, nn.Linear)]
    hooks = [layer.register_forward_hook(lambda _, __, output: seen.append(output)) for layer in layers]
    try:
        scores = critic(beside(critic, torch.cat([real, fake])))
    finally:
        for hook in hooks:
            hook.remove()
    loss = objective.critic_loss(*scores.chunk(2))
    return [float(gradient.norm()) for gradient in torch.autograd.grad(loss, seen)]


@torch.no_grad()
def share_at_walls(critic: nn.Module, clip: float, *, within: float = 0.01) -> float:
    """Share of a critic's weights, biases too, that lie within so small a part of ±clip (chapter 3)."""
    weights = torch.cat([weight.flatten() for weight in critic.parameters()])
    return float((weights.abs() >= (1 - within) * clip).float().mean())
