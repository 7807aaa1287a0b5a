"""The ways to begin and train a network that are compared: names, order, references and words.

`frozen` is compared with `scratch` like `finetune`; `image_only` shows what age, sex and site add
to `finetune`.
"""

from __future__ import annotations

from typing import Literal, get_args

Transfer = Literal["scratch", "finetune", "frozen", "image_only"]
TRANSFERS: tuple[Transfer, ...] = get_args(Transfer)
"""In the order of tables and figures."""

REFERENCES: dict[str, str] = {
    "finetune": "scratch",
    "frozen": "scratch",
    "image_only": "finetune",
}
"""What each transfer is compared with, network by network."""

TRANSFER_NAMES: dict[str, str] = {
    "scratch": "from scratch",
    "finetune": "fine-tuned",
    "frozen": "frozen backbone",
    "image_only": "fine-tuned, photograph alone",
}
"""Names for readers, in figures and beside a network's name."""

TRANSFER_TITLES: dict[str, str] = {
    "scratch": "Trained from scratch",
    "finetune": "Transfer learning, all layers fine-tuned",
    "frozen": "Transfer learning, backbone frozen",
    "image_only": "Fine-tuned, photograph alone",
}
"""Titles of the tables and of their figures."""

TRANSFER_CLAUSES: dict[str, str] = {
    "scratch": "trained from scratch",
    "finetune": "fine-tuned",
    "frozen": "backbone frozen",
    "image_only": "fine-tuned on the photograph alone",
}
"""What the headline says of the best network."""

TRANSFER_ACTS: dict[str, str] = {
    "finetune": "Fine-tuning ImageNet weights",
    "frozen": "Training only a head on frozen ImageNet weights",
}
"""Subjects of sentences on the effect of a transfer."""

TRANSFER_DESCRIPTIONS: dict[str, str] = {
    "scratch": "trained from scratch",
    "finetune": "started from ImageNet weights, all layers trained",
    "frozen": "ImageNet weights kept as they are, only the head and the static branch trained",
    "image_only": "started from ImageNet weights, all layers trained, without age, sex and site",
}
"""What a model card says of a network's training."""
