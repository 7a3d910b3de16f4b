"""What a checkerboard leaves in the spectrum of images (chapter 7)."""

import torch
from torch import Tensor

from companion.errors import CompanionError

NEAR, FAR = (
    2,
    4,
)  # the neighbourhood, in steps of the frequency: beyond the window's own blur, and still close


def checkerboard(images: Tensor) -> float:
    """Energy at the Nyquist frequencies against that of their neighbourhood: 1 for noise, more for a checkerboard.

    A layer that doubles the size and treats odd and even pixels differently leaves a pattern of period 2 (Odena et al.
    2016): energy at the frequencies ½ across, ½ down, and both. Each is compared with the mean energy 2 to 4 steps
    below it: across or down, along its own axis, where pictures have more energy than elsewhere; both, in the square
    between. The mean of the three ratios is given. Energies are means over all images and channels, and a Hann window
    keeps the picture's border, a jump to the transform, out of them.

    Args:
        images: `(N, C, H, W)`, H and W even and at least 16.

    Raises:
        CompanionError: The images are too small, or of odd size, which has no such frequency.
    """
    height, width = images.shape[2:]
    if min(height, width) < 16 or height % 2 or width % 2:
        raise CompanionError(
            f"A checkerboard is measured in images of even size from 16 pixels on, not {height}×{width}; "
            "cut or enlarge them."
        )
    energy = spectrum(images)
    down, across = height // 2, width // 2
    rows, columns = (slice(half - FAR, half - NEAR + 1) for half in (down, across))
    ratios = (
        energy[0, across] / energy[0, columns].mean(),
        energy[down, 0] / energy[rows, 0].mean(),
        energy[down, across] / energy[rows, columns].mean(),
    )
    return float(torch.stack(ratios).mean())


def spectrum(images: Tensor) -> Tensor:
    """Mean energy at each frequency down and across, `(H, W // 2 + 1)`, float64, under a Hann window."""
    values = images.double().cpu()
    values = values - values.mean((2, 3), keepdim=True)  # else the window would spread the mean
    down, across = (torch.hann_window(side, dtype=torch.double) for side in values.shape[2:])
    energy: Tensor = torch.fft.rfft2(values * down[:, None] * across).abs().square().mean((0, 1))
    return energy
