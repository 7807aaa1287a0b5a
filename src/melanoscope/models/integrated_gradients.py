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
    """What each pixel of an image adds to the logit, against a black image.

    Attributes:
        pixels: Attributions summed over the colors, shape (h, w); above 0 speaks for the target.
        probability: Probability that the network gives the image, 0..1.
        difference: Logit of the image minus logit of the baseline; `pixels` should sum to it.
        completeness_error: |sum of pixels - difference| / |difference|.
    """

    pixels: NDArray[np.float64]
    probability: float
    difference: float
    completeness_error: float


def integrated_gradients(
    network: LesionNet,
    image: NDArray[np.uint8],
    static_data: NDArray[np.float32],
    *,
    steps: int = 256,
) -> Attribution:
    """Attribute the logit of one image to its pixels, with age, sex and site held fixed.

    Args:
        network: A trained network; it is moved to the CPU and put into evaluation.
        image: RGB, shape (h, w, 3), uint8.
        static_data: Age, sex and site by `patient.encode`, shape (`patient.WIDTH`,).
        steps: Points of the Gauss-Legendre rule on the way from black to the image.

    Returns:
        The attribution and how far it is from complete.
    """
    from captum.attr import IntegratedGradients

    network = network.cpu().eval()
    images = to_images(torch.from_numpy(image.copy())[None])
    static = torch.from_numpy(static_data)[None]

    def logit(inputs: torch.Tensor, static: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = network(inputs, static)
        return logits.double()

    black = torch.zeros_like(images)
    attributed = IntegratedGradients(logit).attribute(
        images,
        baselines=black,
        additional_forward_args=(static,),
        n_steps=steps,
        internal_batch_size=16,
    )
    with torch.no_grad():
        of_image, of_baseline = logit(images, static).item(), logit(black, static).item()
    pixels = attributed[0].double().sum(dim=0).numpy()
    difference = of_image - of_baseline
    error = abs(float(pixels.sum()) - difference) / max(abs(difference), 1e-12)
    return Attribution(
        pixels=pixels,
        probability=1 / (1 + float(np.exp(-of_image))),
        difference=difference,
        completeness_error=error,
    )
