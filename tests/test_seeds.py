"""No two streams of random numbers of any runs are one."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import SeedSequence

from melanoscope.seeds import Purpose, derive_seed

KEYS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32 - 1) | st.integers(0, 3),
        "purpose": st.sampled_from(Purpose),
        "repeat": st.integers(0, 999) | st.integers(0, 2),
        "fold": st.integers(0, 999) | st.integers(0, 2),
        "network": st.sampled_from(["", "vgg16-scratch", "vgg16-finetune", "vgg-16scratch"]),
        "seed_index": st.integers(0, 99) | st.integers(0, 2),
    }
)


def drawn(key: dict[str, int]) -> int:
    return derive_seed(**key)


@given(st.lists(KEYS, min_size=2, max_size=40, unique_by=lambda key: tuple(key.items())))
@settings(max_examples=60, deadline=None)
def test_other_keys_give_other_seeds(keys: list[dict[str, int]]) -> None:
    seeds = [drawn(key) for key in keys]
    assert len(set(seeds)) == len(keys)
    assert all(0 <= seed < 2**53 for seed in seeds)
    assert seeds == [drawn(key) for key in keys]


def test_what_met_before_no_longer_meets() -> None:
    """Of `seed + repeat`, seed 0 of repeat 1 was seed 1 of repeat 0; so were the purposes."""
    grid = itertools.product(range(12), Purpose, range(12), range(6))
    seeds = [derive_seed(s, p, repeat=r, fold=f) for s, p, r, f in grid]
    assert len(set(seeds)) == 12 * len(Purpose) * 12 * 6


@pytest.mark.parametrize(
    ("key", "seed"),
    [
        ({"seed": 0, "purpose": Purpose.DIVISION}, 2_733_877_239_021_683),
        ({"seed": 1, "purpose": Purpose.DIVISION, "repeat": 1}, 6_122_339_954_011_531),
        (
            {"seed": 0, "purpose": Purpose.TRAINING, "network": "vgg16-scratch"},
            2_150_727_519_715_086,
        ),
        ({"seed": 0, "purpose": Purpose.SHARE, "fold": 1, "seed_index": 2}, 5_696_998_150_978_236),
    ],
)
def test_a_seed_stays_what_it_was(key: dict[str, int], seed: int) -> None:
    """Runs are made anew by their seeds: these are pinned, whatever the version."""
    assert drawn(key) == seed


def test_it_is_what_numpy_makes_of_the_key() -> None:
    sequence = SeedSequence(
        7, spawn_key=(1, 2, 0, 0, 0xE3B0C442, 0x98FC1C14, 0x9AFBF4C8, 0x996FB924)
    )
    high, low = (int(word) for word in sequence.generate_state(2))
    assert derive_seed(7, Purpose.DIVISION, repeat=2) == (high * 2**32 + low) // 2**11
