"""Artefacts: more of them at each strength, the same for the same photograph, and real ones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from melanoscope.errors import DataError
from melanoscope.evaluation.corruptions import CORRUPTIONS, STRENGTHS, corrupt


def skin(px: int = 96) -> np.ndarray:
    """A lesion on skin with some texture."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1 : 1 : px * 1j, -1 : 1 : px * 1j]
    lesion = np.exp(-(((x**2 + y**2) / 0.15) ** 2))[..., None]
    picture = np.array([205, 160, 140]) * (1 - lesion) + np.array([90, 55, 45]) * lesion
    return np.clip(picture + rng.normal(0, 4, (px, px, 3)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_strength_changes_more(name: str):
    clean = skin()
    before = clean.copy()
    ids = ("a", "b", "c", "d")
    changed = [
        np.mean([np.abs(corrupt(clean, name, s, i).astype(int) - clean).mean() for i in ids])
        for s in STRENGTHS
    ]
    assert changed[0] > 0
    # Coarser steps of JPEG may by chance fall nearer to what was there: it has 10 % of play.
    play = 0.9 if name == "JPEG" else 1.0
    assert all(more > play * less for less, more in pairwise(changed)), changed
    assert changed[4] > 1.5 * changed[0]
    assert np.array_equal(clean, before)
    assert corrupt(clean, name, 3, "a").shape == clean.shape
    assert corrupt(clean, name, 3, "a").dtype == np.uint8


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_photograph_has_its_own_artefact_each_time(name: str):
    clean = skin()
    again = [corrupt(clean, name, 3, "a") for _ in range(2)]
    assert np.array_equal(*again)


@pytest.mark.parametrize("name", ["hair", "ink", "gel bubbles"])
def test_strengths_are_nested(name: str):
    """What is drawn at one strength is there at the next: only more comes."""
    clean = skin()
    touched = [(corrupt(clean, name, s, "x") != clean).any(axis=2) for s in (1, 3, 5)]
    for less, more in pairwise(touched):
        assert (less & more).sum() >= 0.9 * less.sum()


@pytest.mark.parametrize("name", ["hair", "ink", "gel bubbles", "brightness", "color cast"])
def test_photographs_differ_in_their_artefacts(name: str):
    clean = skin()
    found = {corrupt(clean, name, 5, f"photograph {k}").tobytes() for k in range(12)}
    assert len(found) > 1


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("px", [32, 224])
def test_any_size_will_do(name: str, px: int):
    assert corrupt(skin(px), name, 5, "a").shape == (px, px, 3)


def test_what_is_known_of_each():
    clean = skin()
    assert corrupt(clean, "hair", 5, "a").mean() < clean.mean()
    assert corrupt(clean, "gel bubbles", 5, "a").max() > clean.max()
    dark = corrupt(clean, "vignette", 5, "a")
    assert dark[0, 0].max() < 30
    assert np.array_equal(dark[48, 48], clean[48, 48])
    sharp, soft = (np.abs(np.diff(one.astype(int), axis=0)).mean() for one in (
        clean, corrupt(clean, "blur", 5, "a")))  # fmt: skip
    assert soft < sharp / 2
    red = corrupt(np.full((32, 32, 3), 128, np.uint8), "color cast", 5, "a")
    assert abs(int(red[0, 0, 0]) - int(red[0, 0, 2])) == pytest.approx(2 * 0.23 * 128, abs=1)
    stops = np.array([corrupt(np.full((32, 32, 3), 100, np.uint8), "brightness", 1, str(k))[0, 0, 0]
                      for k in range(20)])  # fmt: skip
    wanted = {round(100 * 2 ** (sign * 0.3 / 2.2)) for sign in (-1, 1)}
    assert set(stops.tolist()) == wanted
    small = corrupt(clean, "scale", 5, "a")
    inside = Image.fromarray(clean).resize((67, 67), Image.Resampling.LANCZOS)
    assert np.array_equal(small[14:81, 14:81], np.asarray(inside))


@pytest.mark.parametrize(("name", "strength"), [("hare", 1), ("hair", 0), ("hair", 6)])
def test_others_are_refused(name: str, strength: int):
    with pytest.raises(DataError, match="hair"):
        corrupt(skin(), name, strength, "a")
