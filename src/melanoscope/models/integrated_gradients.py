"""Integrated Gradients of a `LesionNet` (Sundararajan et al. 2017, eq. 1), by captum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from melanoscope.models.lesion_net import LesionNet, to_images

BASELINE = "a black photograph"


@dataclass(frozen=True)
class Attribution:
    """What each pixel of a photograph adds to the logit, against a black photograph.

    Attributes:
        pixels: Shape (h, w), signed, summed over colours; above 0 speaks for melanoma.
        probability: The network's, 0..1.
        difference: Logit of the photograph minus logit of the baseline; `pixels` should sum to it.
        completeness_error: |sum of pixels - difference| / |difference|.
    """

    pixels: NDArray[np.float64]
    probability: float
    difference: float
    completeness_error: float


def integrated_gradients(
    network: LesionNet,
    photograph: NDArray[np.uint8],
    static_data: NDArray[np.float32],
    *,
    steps: int = 256,
) -> Attribution:
    """Attribute one photograph's logit to its pixels; age, sex and site are held fixed.

    Args:
        network: Trained; put into evaluation.
        photograph: Shape (h, w, 3), uint8.
        static_data: Shape (`static.WIDTH`,).
        steps: Points on the way from black to the photograph (Gauss-Legendre).
    """
    from captum.attr import IntegratedGradients

    network = network.cpu().eval()
    image = to_images(torch.from_numpy(photograph.copy())[None])
    known = torch.from_numpy(static_data)[None]

    def logit(images: torch.Tensor, statics: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = network(images, statics)
        return logits.double()

    black = torch.zeros_like(image)
    method = IntegratedGradients(logit)
    attributed = method.attribute(
        image,
        baselines=black,
        additional_forward_args=(known,),
        n_steps=steps,
        internal_batch_size=16,
    )
    with torch.no_grad():
        seen, nothing = logit(image, known).item(), logit(black, known).item()
    pixels = attributed[0].double().sum(dim=0).numpy()
    difference = seen - nothing
    error = abs(float(pixels.sum()) - difference) / max(abs(difference), 1e-12)
    return Attribution(pixels, 1 / (1 + float(np.exp(-seen))), difference, error)
