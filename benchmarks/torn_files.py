"""How many torn files are found in each format, and how many whole ones are taken for torn.

    python benchmarks/torn_files.py [LESIONS] [--files 40] [--tears 25] [--seed 0] [--out FILE]

LESIONS holds folders of real photographs; without it lesions are drawn. Each is written in every
format and torn at places drawn evenly from all of its bytes: cut off there, or zeros from there on.
A torn file may be refused, or give the same pixels as the whole one (nothing of the picture was
lost), or give others: these are missed. Whole files are tried as they are, with a black lower part,
and with bytes behind their end; with LESIONS, every file there as it is, too.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import struct
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, features

from melanoscope.data.sources.simulated import simulate_images
from melanoscope.export.latency import machine
from melanoscope.imaging.decode import decode_image, why_unreadable
from melanoscope.imaging.open_image import UnreadableImageError
from melanoscope.stats.intervals.proportion import wilson_interval

SIZE = 128
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "JPEG, baseline": ("JPEG", {"quality": 90}),
    "JPEG, baseline, own tables": ("JPEG", {"quality": 90, "optimize": True}),
    "JPEG, progressive": ("JPEG", {"quality": 90, "progressive": True}),
    "PNG": ("PNG", {}),
    "WebP, lossy": ("WEBP", {"quality": 85}),
    "WebP, lossless": ("WEBP", {"lossless": True}),
    "TIFF, uncompressed": ("TIFF", {}),
    "TIFF, LZW": ("TIFF", {"compression": "tiff_lzw"}),
    "TIFF, deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "TIFF, PackBits": ("TIFF", {"compression": "packbits"}),
    "TIFF, JPEG": ("TIFF", {"compression": "jpeg"}),
    "BMP": ("BMP", {}),
    "HEIC": ("HEIF", {}),
    "AVIF": ("AVIF", {}),
}


def photographs(lesions: Path | None, count: int, rng: random.Random) -> Iterator[Image.Image]:
    """Go through `count` photographs, real ones where there are any."""
    with tempfile.TemporaryDirectory() as folder:
        if lesions is None:
            drawn = simulate_images(count, Path(folder))
            paths = [Path(path) for path in drawn["path"]]
        else:
            paths = rng.sample(sorted(lesions.rglob("*.jpg")), count)
        for path in paths:
            with Image.open(path) as image:
                yield image.convert("RGB")


def encode(image: Image.Image, kind: str, options: dict[str, Any]) -> bytes:
    """Write an image to memory."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(content: bytes) -> bytes | None:
    """Decode to pixels, or None where the file is refused."""
    try:
        return decode_image(content, SIZE).pixels.tobytes()
    except UnreadableImageError:
        return None


def outcomes(
    images: list[Image.Image], name: str, tears: int, rng: random.Random
) -> dict[str, Any]:
    """Tear the images in one format; count what becomes of them and of whole ones."""
    kind, options = FORMATS[name]
    found: dict[str, Counter[str]] = {"cut off": Counter(), "zeros": Counter(), "whole": Counter()}
    missed_at = []
    for image in images:
        data = encode(image, kind, options)
        whole = decoded(data)
        for _ in range(tears):
            place = rng.randrange(1, len(data))
            for tear, content in (
                ("cut off", data[:place]),
                ("zeros", data[:place] + bytes(len(data) - place)),
            ):
                pixels = decoded(content)
                outcome = "refused" if pixels is None else "same" if pixels == whole else "missed"
                found[tear][outcome] += 1
                if outcome == "missed":
                    missed_at.append(len(data) - place)
        black = np.array(image)
        black[rng.randrange(len(black)) :] = 0
        tail = bytes(rng.randrange(1, 5000))
        if kind in ("HEIF", "AVIF"):
            tail = struct.pack(">I4s", 8 + len(tail), b"free") + tail
        for content in (data, data + tail, encode(Image.fromarray(black), kind, options)):
            found["whole"]["refused" if decoded(content) is None else "read"] += 1
    return {
        **{kind_of_tear: dict(counts) for kind_of_tear, counts in found.items()},
        "missed within the last bytes": sorted(missed_at),
    }


def share(counts: dict[str, int], outcome: str) -> str:
    """Say a share and its 95 % interval in percent."""
    n = sum(counts.values())
    interval = wilson_interval(counts.get(outcome, 0), n)
    low, high = 100 * interval.low, 100 * interval.high
    return f"{counts.get(outcome, 0)} of {n} ({low:.2f} to {high:.2f} %)"


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lesions", type=Path, nargs="?")
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--tears", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rng = random.Random(options.seed)
    images = list(photographs(options.lesions, options.files, rng))
    result: dict[str, Any] = {"machine": machine(), "files": options.files, "tears": options.tears}
    result["formats"] = {}
    for name, (kind, _) in FORMATS.items():
        if kind == "AVIF" and not features.check("avif"):
            continue
        if kind == "HEIF":
            try:
                import pillow_heif
            except ImportError:
                continue
            pillow_heif.register_heif_opener()
        row = outcomes(images, name, options.tears, rng)
        result["formats"][name] = row
        cells = [share(row["cut off"], "missed"), share(row["zeros"], "missed")]
        print(f"| {name} | {' | '.join(cells)} | {share(row['whole'], 'refused')} |", flush=True)
    if options.lesions is not None:
        reasons = Counter(why_unreadable(path) for path in options.lesions.rglob("*.jpg"))
        result["as they are"] = {str(reason): n for reason, n in reasons.items()}
        print(f"as they are, refused: {reasons.total() - reasons[None]} of {reasons.total()}")
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
