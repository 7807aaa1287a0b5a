from __future__ import annotations

import numpy as np
import torch
from torch import nn

from melanoscope import patient
from melanoscope.models.backbones import Backbone
from melanoscope.models.integrated_gradients import integrated_gradients
from melanoscope.models.lesion_net import LesionNet, fresh


def test_of_a_linear_network_is_weight_times_input() -> None:
    torch.manual_seed(0)
    entry = Backbone("tiny", "Tiny", 4, 0, lambda: nn.Conv2d(3, 4, 1), lambda n: n)
    network = LesionNet(entry, entry.build())
    rng = np.random.default_rng(0)
    photograph = rng.integers(0, 256, (6, 8, 3), np.uint8)
    found = integrated_gradients(network, photograph, np.zeros(patient.WIDTH, np.float32), steps=4)
    head = network.head.weight[0, :4].detach().double()
    kernel = network.image_branch.weight[:, :, 0, 0].detach().double()
    per_colour = (head @ kernel) / network.deviation.view(3).double() / 48
    closed_form = (photograph / 255.0) @ per_colour.numpy()
    np.testing.assert_allclose(found.pixels, closed_form, atol=1e-6)
    assert found.completeness_error < 1e-4


def test_is_complete_on_a_real_network_and_more_steps_help() -> None:
    torch.manual_seed(0)
    network = fresh("squeezenet1_1")
    photograph = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    known = np.zeros(patient.WIDTH, np.float32)
    coarse = integrated_gradients(network, photograph, known, steps=8)
    found = integrated_gradients(network, photograph, known)
    assert found.completeness_error < min(0.02, coarse.completeness_error)
    assert found.pixels.shape == (64, 64)
    assert 0 < found.probability < 1
