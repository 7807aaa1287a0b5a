"""How well copies are found: recall on listed, cross-archive and made pairs, precision by eye.

    python benchmarks/near_duplicates.py FOLDER [--json FILE] [--sheet PNG]

FOLDER holds lesions/{isic2020,isic2019,ham10000}. Photographs are halved by id: the threshold is
chosen on one half, midway between the likest strangers and the least like copies, and recall is
measured on the other. Pairs that no table lists are written to --sheet to be looked at;
`SEEN_COPIES` holds those that are copies. A perceptual hash of 64 bits is measured beside.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
import polars as pl
from PIL import Image

from melanoscope.audit.near_duplicates import THRESHOLD, NearDuplicate, find_near_duplicates
from melanoscope.data.archive import ReadOptions
from melanoscope.data.catalog import build_catalog
from melanoscope.data.pixel_store import open_pixel_store
from melanoscope.data.sources import parse_spec, read_sources
from melanoscope.imaging.decode import read_image
from near_duplicates_parts.changed_copies import (
    CHANGES,
    IMAGE_SIZE,
    MORE_CHANGES,
    crop,
    make_copies,
    resize,
)
from near_duplicates_parts.recall import hash_recall, proportion, recall, side

# Pairs that no table joins and that, looked at side by side, show the same image: squashed,
# cropped, recoloured or re-encoded.
SEEN_COPIES = {
    ("ISIC_0000157", "ISIC_0014946_downsampled"),
    ("ISIC_0000162", "ISIC_0014826_downsampled"),
    ("ISIC_0000164", "ISIC_0014795_downsampled"),
    ("ISIC_0000165", "ISIC_0014788_downsampled"),
    ("ISIC_0000171", "ISIC_0015124_downsampled"),
    ("ISIC_0000174", "ISIC_0015071_downsampled"),
    ("ISIC_0012290_downsampled", "ISIC_0013594_downsampled"),
    ("ISIC_0012887_downsampled", "ISIC_0012989_downsampled"),
    ("ISIC_0014289_downsampled", "ISIC_7101732"),
    ("ISIC_0014331_downsampled", "ISIC_2342769"),
    ("ISIC_0014360_downsampled", "ISIC_8325226"),
    ("ISIC_0014369_downsampled", "ISIC_0333091"),
    ("ISIC_0014478_downsampled", "ISIC_1177153"),
    ("ISIC_0014507_downsampled", "ISIC_2797353"),
    ("ISIC_0014513_downsampled", "ISIC_3561065"),
    ("ISIC_0025387", "ISIC_0029880"),
    ("ISIC_0028003", "ISIC_6966001"),
    ("ISIC_0028760", "ISIC_1356715"),
    ("ISIC_0030192", "ISIC_6110888"),
    ("ISIC_0030366", "ISIC_0833889"),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--copies", type=int, default=60, help="of each kind and half")
    arguments = parser.parse_args()
    lesions = arguments.folder / "lesions"
    specs = [parse_spec(f"{k}={lesions / k}") for k in ("isic2020", "isic2019", "ham10000")]
    with tempfile.TemporaryDirectory() as cache:
        tables = read_sources(specs, ReadOptions(Path(cache)))
        catalog = build_catalog(tables)
        store = open_pixel_store(catalog, IMAGE_SIZE, Path(cache))
        frame = catalog.with_files.without(store.unreadable).frame
        ids = frame["image_id"].to_list()
        pixels = store.images(ids)
    paths = dict(frame.select("image_id", "path").iter_rows())
    group = dict(frame.select("image_id", "group_id").iter_rows())
    half = {name: hashlib.sha256(name.encode()).digest()[0] % 2 for name in ids}
    made, truth = make_copies(paths, ids, half, arguments.copies, CHANGES)
    every = np.concatenate([pixels, np.stack([m[1] for m in made])])
    names = [*ids, *(m[0] for m in made)]
    started = time.perf_counter(), time.process_time()
    pairs = find_near_duplicates(every, names, threshold=0.3)
    seconds = time.perf_counter() - started[0], time.process_time() - started[1]
    alike = {frozenset((p.a, p.b)): p.likeness for p in pairs}
    strangers = [p for p in pairs if p.a in group and p.b in group and group[p.a] != group[p.b]]
    result: dict[str, Any] = {
        "photographs": len(ids),
        "copies_made": len(made),
        "threshold": THRESHOLD,
        "chosen_on_one_half": _choose(alike, truth, strangers, half),
        "made": {
            kind: {
                "recall": proportion(*recall(alike, truth, kind)),
                "recall_of_pHash_within_8_bits": proportion(*hash_recall(made, truth, paths, kind)),
            }
            for kind in CHANGES
        },
        "more_made": _more(paths, ids, half, arguments.copies, pixels),
        "lookalikes": _lookalikes(ids, pixels, group, half, alike),
        "second_photographs": _second(frame, alike),
        "listed": _listed(tables, set(ids), alike),
        "across_archives_same_id": _same_id(lesions),
        "found_among_originals": _found(pairs, group),
        "seconds": {"wall": round(seconds[0], 1), "processor": round(seconds[1], 1)},
        "speed": _speed(pixels),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
    }
    print(json.dumps(result, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    if arguments.sheet:
        _sheet(arguments.sheet, sorted(strangers, key=lambda p: -p.likeness)[:60], ids, pixels)


def _more(
    paths: dict[str, str], ids: list[str], half: dict[str, int], copies: int, pixels: np.ndarray
) -> Any:
    made, truth = make_copies(paths, ids, half, copies, MORE_CHANGES)
    every = np.concatenate([pixels, np.stack([m[1] for m in made])])
    pairs = find_near_duplicates(every, [*ids, *(m[0] for m in made)])
    alike = {frozenset((p.a, p.b)): p.likeness for p in pairs}
    return {kind: {"recall": proportion(*recall(alike, truth, kind))} for kind in MORE_CHANGES}


def _lookalikes(
    ids: list[str],
    pixels: np.ndarray,
    group: dict[str, str],
    half: dict[str, int],
    alike: dict[frozenset[str], float],
) -> Any:
    """Nearest strangers by hash, of photographs in the half that is measured."""
    turns = [[Image.fromarray(p) for p in pixels]]
    turns += [[p.transpose(t) for p in turns[0]] for t in Image.Transpose]
    hashes = [
        np.packbits([imagehash.phash(p).hash.ravel() for p in one], axis=1).view(np.uint64).ravel()
        for one in turns
    ]
    code = np.unique([group[name] for name in ids], return_inverse=True)[1]
    row = {name: i for i, name in enumerate(ids)}
    seen = {frozenset((row[a], row[b])) for a, b in SEEN_COPIES if a in row and b in row}
    bits, joined, pairs = [], 0, set()
    for i in np.flatnonzero([half[name] == 1 for name in ids]):
        apart = np.min([np.bitwise_count(hashes[0][i] ^ one) for one in hashes], axis=0).astype(int)
        apart[code == code[i]] = 99
        for one in seen:
            if i in one:
                apart[list(one - {i})] = 99
        j = int(apart.argmin())
        pairs.add(frozenset((ids[i], ids[j])))
        bits.append(int(apart[j]))
    joined = sum(alike.get(pair, 0.0) >= THRESHOLD for pair in pairs)
    return {"median_bits_apart": float(np.median(bits)), "joined": proportion(joined, len(pairs))}


def _second(frame: pl.DataFrame, alike: dict[frozenset[str], float]) -> Any:
    """Pairs of photographs of one lesion of HAM10000."""
    ham = frame.filter(pl.col("dataset") == "ham10000").select("image_id", "lesion_id")
    pairs = ham.join(ham, on="lesion_id").filter(pl.col("image_id") < pl.col("image_id_right"))
    values = [
        alike.get(frozenset(p), 0.0) for p in pairs.select("image_id", "image_id_right").rows()
    ]
    return proportion(sum(v >= THRESHOLD for v in values), len(values))


def _choose(
    alike: dict[frozenset[str], float],
    truth: dict[str, tuple[str, str]],
    strangers: list[NearDuplicate],
    half: dict[str, int],
) -> dict[str, float]:
    """On the first half: lie midway between the likest strangers and the least like copies."""
    copies = [
        alike.get(frozenset((c, name)), 0.0) for c, (name, _) in truth.items() if side(c) == 0
    ]
    apart = [p for p in strangers if half[p.a] == half[p.b] == 0]
    seen = [p.likeness for p in apart if (p.a, p.b) in SEEN_COPIES]
    least = min([float(np.quantile([v for v in copies if v], 0.02)), *seen])
    likest = max([p.likeness for p in apart if (p.a, p.b) not in SEEN_COPIES], default=0.3)
    return {
        "least_like_copies": round(least, 3),
        "likest_strangers": round(likest, 3),
        "midway": round((least + likest) / 2, 3),
    }


def _listed(tables: list[Any], present: set[str], alike: dict[frozenset[str], float]) -> Any:
    listed = [pair for table in tables for pair in table.duplicate_pairs if set(pair) <= present]
    found = {"-".join(p): round(alike.get(frozenset(p), 0.0), 3) for p in listed}
    hits = sum(v >= THRESHOLD for v in found.values())
    return {"pairs": found, "recall": proportion(hits, len(found))}


def _same_id(lesions: Path) -> Any:
    """Ids with a file in HAM10000 and in ISIC 2019: one image, two archives' preparations."""
    files = [
        {p.stem: p for p in (lesions / place).rglob("*.jpg")} for place in ("ham10000", "isic2019")
    ]
    both = sorted(set(files[0]) & set(files[1]))
    if not both:
        return {"pairs": 0}
    pixels = np.stack([read_image(side[name], IMAGE_SIZE) for side in files for name in both])
    names = [f"{k}-{name}" for k in (0, 1) for name in both]
    pairs = {(p.a, p.b) for p in find_near_duplicates(pixels, names)}
    hits = sum((f"0-{name}", f"1-{name}") in pairs for name in both)
    return {"pairs": len(both), "recall": proportion(hits, len(both))}


def _found(pairs: tuple[NearDuplicate, ...], group: dict[str, str]) -> Any:
    mine = [p for p in pairs if p.a in group and p.b in group and p.likeness >= THRESHOLD]
    joined = [p for p in mine if group[p.a] == group[p.b]]
    unknown = sorted((p.a, p.b) for p in mine if group[p.a] != group[p.b])
    right = [pair for pair in unknown if pair in SEEN_COPIES]
    return {
        "pairs": len(mine),
        "joined_by_the_tables": len(joined),
        "unknown_to_the_tables": len(unknown),
        "precision_by_eye_of_unknown": proportion(len(right), len(unknown)),
        "unknown": unknown,
    }


def _speed(pixels: np.ndarray) -> dict[str, float]:
    """10,000 photographs: the real ones and random crops of them."""
    rng = np.random.default_rng(1)
    more = []
    for i in rng.integers(0, len(pixels), 10_000 - len(pixels)):
        image = Image.fromarray(pixels[i])
        more.append(resize(crop(image, float(rng.uniform(0.1, 0.2)), rng)))
    every = np.concatenate([pixels, np.stack(more)])
    started = time.perf_counter(), time.process_time()
    found = find_near_duplicates(every, [f"{i:05d}" for i in range(len(every))])
    return {
        "photographs": len(every),
        "pairs": len(found),
        "seconds": round(time.perf_counter() - started[0], 1),
        "processor_seconds": round(time.process_time() - started[1], 1),
    }


def _sheet(path: Path, pairs: list[NearDuplicate], ids: list[str], pixels: np.ndarray) -> None:
    row = {name: i for i, name in enumerate(ids)}
    columns = [np.concatenate([pixels[row[p.a]], pixels[row[p.b]]]) for p in pairs]
    columns += [np.zeros_like(columns[0])] * (-len(columns) % 12)
    lines = [np.concatenate(columns[i : i + 12], axis=1) for i in range(0, len(columns), 12)]
    Image.fromarray(np.concatenate(lines)).save(path)


if __name__ == "__main__":
    main()
