"""Copies of drawn lesions are found, strangers are not, whatever the order."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from melanoscope.audit.near_duplicates import NearDuplicate, find_near_duplicates
from melanoscope.data.archive import ReadOptions
from melanoscope.data.catalog import build_catalog
from melanoscope.data.pixel_store import open_pixel_store
from melanoscope.data.sources import parse_spec, read_sources, simulated
from melanoscope.errors import DataError
from melanoscope.imaging.decode import read_image

PX = 96


def _find(pixels: np.ndarray, names: list[str]) -> tuple[NearDuplicate, ...]:
    """Drawings hold less fine structure than photographs: strangers among them reach 0.63."""
    return find_near_duplicates(pixels, names, threshold=0.7)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """One photograph of each of 40 lesions."""
    rows = simulated.simulate_images(70, tmp_path_factory.mktemp("drawn")).unique(
        "lesion_id", maintain_order=True
    )
    return np.stack([read_image(Path(p), 160) for p in rows["path"][:40]])


def _small(pictures: list[np.ndarray]) -> np.ndarray:
    return np.stack(
        [
            np.asarray(Image.fromarray(p).resize((PX, PX), Image.Resampling.BICUBIC))
            for p in pictures
        ]
    )


def _jpeg(pixels: np.ndarray) -> np.ndarray:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=55)
    return np.asarray(Image.open(buffer))


CHANGES = {
    "re-encoded": _jpeg,
    "cropped": lambda p: p[5:152, 7:154],
    "quarter turn": lambda p: np.rot90(p).copy(),
    "half turn": lambda p: np.rot90(p, 2).copy(),
    "mirrored": lambda p: p[:, ::-1].copy(),
    "brighter": lambda p: np.clip(p.astype(int) * 1.08, 0, 255).astype(np.uint8),
}


@pytest.mark.parametrize("change", CHANGES)
def test_copies_are_found_and_strangers_are_not(drawn: np.ndarray, change: str) -> None:
    copies = [CHANGES[change](p) for p in drawn[:15]]
    names = [f"a{i:02d}" for i in range(40)] + [f"b{i:02d}" for i in range(15)]
    found = _find(_small([*drawn, *copies]), names)
    pairs = {(p.a, p.b) for p in found}
    right = {(f"a{i:02d}", f"b{i:02d}") for i in range(15)}
    assert len(right & pairs) >= 14
    assert not pairs - right


def test_words_say_what_was_done(drawn: np.ndarray) -> None:
    turned = [np.rot90(p).copy() for p in drawn[:5]]
    found = _find(
        _small([*drawn, *turned]), [f"a{i:02d}" for i in range(40)] + [f"b{i}" for i in range(5)]
    )
    assert found
    assert all("turned by" in pair.relation for pair in found)
    plain = _find(_small([drawn[0], drawn[1], drawn[0]]), ["a", "b", "c"])
    assert [(p.a, p.b, p.relation) for p in plain] == [("a", "c", "same picture")]
    assert plain[0].likeness == pytest.approx(1, abs=1e-3)


def test_order_does_not_matter(drawn: np.ndarray) -> None:
    pixels = _small([*drawn, *[_jpeg(p) for p in drawn[:8]]])
    names = [f"n{i:02d}" for i in range(48)]
    order = np.random.default_rng(0).permutation(48)
    found = _find(pixels, names)
    again = _find(pixels[order], [names[i] for i in order])
    assert [(p.a, p.b, p.relation) for p in found] == [(p.a, p.b, p.relation) for p in again]
    assert len(found) == 8


def test_few_and_blank_photographs(drawn: np.ndarray) -> None:
    assert _find(np.empty((0, PX, PX, 3), np.uint8), []) == ()
    assert _find(_small([drawn[0]]), ["a"]) == ()
    blank = np.full((3, PX, PX, 3), 200, np.uint8)
    assert _find(blank, ["a", "b", "c"]) == ()
    with pytest.raises(DataError, match="at least 64 px"):
        _find(np.zeros((2, 32, 32, 3), np.uint8), ["a", "b"])
    with pytest.raises(DataError, match="as many different ids"):
        _find(blank, ["a"])


@pytest.mark.real
def test_known_copies_across_archives(real_folder: Path, tmp_path: Path) -> None:
    """ISIC_7101732 of ISIC 2020 is ISIC_0014289 of ISIC 2019; three pairs are listed."""
    lesions = real_folder / "lesions"
    specs = [parse_spec(f"{kind}={lesions / kind}") for kind in ("isic2020", "isic2019")]
    tables = read_sources(specs, ReadOptions(tmp_path))
    catalog = build_catalog(tables)
    store = open_pixel_store(catalog, 128, tmp_path)
    ids = catalog.with_files.frame["image_id"].to_list()
    pairs = {(p.a, p.b) for p in find_near_duplicates(store.images(ids), ids)}
    assert ("ISIC_0014289_downsampled", "ISIC_7101732") in pairs
    listed = [pair for table in tables for pair in table.duplicate_pairs if set(pair) <= set(ids)]
    assert listed
    assert all(tuple(sorted(pair)) in pairs for pair in listed)
