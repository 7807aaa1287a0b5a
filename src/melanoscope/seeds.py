"""Every seed of a run, derived in one place from the one that `--seed` states.

Sums of small numbers would meet: seed 0 of a second division is seed 1 of a first one. numpy's
`SeedSequence` hashes the run's seed and a key of what is drawn, so that streams of another purpose,
division, fold, network or training, and those of runs with another seed, have nothing in common.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum

_BITS = 53  # JSON's numbers are exact up to here in every language


class Purpose(IntEnum):
    """What a seed is for; a number must never change its meaning, since runs are made anew by it.

    Attributes:
        DIVISION: Which groups come into which fold, of one repeat.
        POSTER_TEST: Which photographs the poster's protocol tests on, of one repeat.
        VALIDATION: Which groups of the training photographs are for validation, of one fold.
        TRAINING: One training of one network; the four below are derived from it.
        WEIGHTS: The weights that are not pretrained.
        DROPOUT: Dropout.
        SHUFFLING: The order of the photographs in an epoch.
        AUGMENTATION: How photographs are varied.
        SHARE: In which order groups are taken for a share of the training photographs, of one draw.
    """

    DIVISION = 1
    POSTER_TEST = 2
    VALIDATION = 3
    TRAINING = 4
    WEIGHTS = 5
    DROPOUT = 6
    SHUFFLING = 7
    AUGMENTATION = 8
    SHARE = 9


def derive_seed(
    seed: int,
    purpose: Purpose,
    *,
    repeat: int = 0,
    fold: int = 0,
    network: str = "",
    seed_index: int = 0,
) -> int:
    """Return the seed of one stream of random numbers, the same in every version and order.

    Two of a hundred thousand streams meet with a chance of one in a million (53 bits).

    Args:
        seed: Seed of the run; for what belongs to one training, the seed of that training.
        purpose: What is drawn.
        repeat: Division into folds, from 0.
        fold: Fold of that division, from 0.
        network: Name of what is trained, of backbone and transfer.
        seed_index: Training of that network on that fold, from 0.

    Returns:
        The seed, 0 to 2^53 - 1.

    >>> division = [derive_seed(0, Purpose.DIVISION, repeat=repeat) for repeat in (0, 1)]
    >>> len({*division, derive_seed(1, Purpose.DIVISION)})
    3
    """
    from numpy.random import SeedSequence  # here, since the command line reads its defaults first

    digest = hashlib.sha256(network.encode()).digest()
    name = (int.from_bytes(digest[i : i + 4], "big") for i in range(0, 16, 4))
    # A key of one length: otherwise two keys could be one row of words.
    key = (int(purpose), repeat, fold, seed_index, *name)
    high, low = map(int, SeedSequence(seed, spawn_key=key).generate_state(2))
    return (high << 32 | low) >> (64 - _BITS)
