"""How many bytes each decoder takes for a pixel, beside what `memory_limits` says that it takes.

    python benchmarks/decoder_memory.py [--only WORD] [--out FILE]

Drawn colors are written in each format and kind of pixel with 3 and 12 million pixels and decoded
to 128 px in a process of their own each (Linux). A pixel's bytes are the difference of both peaks
by the difference of their pixels; the file's own bytes are taken off.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, features

from melanoscope.export.latency import machine
from melanoscope.imaging.decode import decode_image
from melanoscope.imaging.memory_limits import need_of, need_of_webp
from melanoscope.imaging.open_image import open_image

SIZES = ((64, 64), (2000, 1500), (4000, 3000))
Written = tuple[Image.Image, str, dict[str, Any]]


def picture(width: int, height: int) -> Image.Image:
    """Draw colors that change slowly, and a little everywhere."""
    y, x = np.arange(height)[:, None], np.arange(width)
    red = np.broadcast_to(60 + x * 150 // width, (height, width))
    green = np.broadcast_to(50 + y * 150 // height, (height, width))
    return Image.fromarray(np.stack([red, green, (x * 3 + y * 5) // 40 % 200], -1).astype(np.uint8))


def deep(image: Image.Image) -> Image.Image:
    """Return grey of 16 bits."""
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 200)


def clear(image: Image.Image) -> Image.Image:
    """Return an image with alpha."""
    layer = image.convert("RGBA")
    layer.putalpha(image.convert("L"))
    return layer


def turned() -> dict[str, Any]:
    """Return EXIF that turns the photograph."""
    exif = Image.Exif()
    exif[274] = 6
    return {"exif": exif}


CASES: dict[str, Callable[[Image.Image], Written]] = {
    "JPEG": lambda i: (i, "JPEG", {}),
    "JPEG, progressive": lambda i: (i, "JPEG", {"progressive": True}),
    "JPEG, progressive, 4:4:4": lambda i: (i, "JPEG", {"progressive": True, "subsampling": 0}),
    "JPEG, CMYK, progressive": lambda i: (i.convert("CMYK"), "JPEG", {"progressive": True}),
    "PNG": lambda i: (i, "PNG", {}),
    "PNG, palette with alpha": lambda i: (i.quantize(16), "PNG", {"transparency": 0}),
    "PNG, alpha, turned": lambda i: (clear(i), "PNG", turned()),
    "PNG, 16 bits, turned": lambda i: (deep(i), "PNG", turned()),
    "WebP": lambda i: (i, "WEBP", {"method": 0}),
    "WebP, alpha": lambda i: (clear(i), "WEBP", {"method": 0}),
    "WebP, lossless": lambda i: (i, "WEBP", {"lossless": True, "method": 0}),
    "TIFF": lambda i: (i, "TIFF", {}),
    "TIFF, LZW, one strip": lambda i: (i, "TIFF", {"compression": "tiff_lzw", "strip_size": 2**30}),
    "TIFF, alpha": lambda i: (clear(i), "TIFF", {"compression": "tiff_adobe_deflate"}),
    "TIFF, CMYK": lambda i: (i.convert("CMYK"), "TIFF", {}),
    "TIFF, 16 bits": lambda i: (deep(i), "TIFF", {}),
    "TIFF, floating point": lambda i: (i.convert("F"), "TIFF", {}),
    "BMP": lambda i: (i, "BMP", {}),
    "HEIC": lambda i: (i, "HEIF", {"quality": 40}),
    "HEIC, alpha": lambda i: (clear(i), "HEIF", {"quality": 40}),
    "AVIF": lambda i: (i, "AVIF", {"speed": 10, "quality": 40}),
    "AVIF, alpha": lambda i: (clear(i), "AVIF", {"speed": 10, "quality": 40}),
}


def memory(name: str) -> int:
    """Return a line of /proc/self/status in bytes."""
    with Path("/proc/self/status").open() as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name))


def peak(path: str, small: str) -> int:
    """Return by how much decoding raises this process' memory; a small file loads libraries."""
    decode_image(small, 128)
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    decode_image(path, 128)
    return memory("VmHWM") - before


def stated(path: Path) -> float:
    """Return the bytes of a pixel that the package reckons with."""
    with open_image(path, max_pixels=2 * 10**8) as image:
        kind = "JPEG" if image.format == "MPO" else str(image.format)
        need = need_of_webp(path.read_bytes()) if kind == "WEBP" else need_of(kind, image)
        return 0.0 if need is None else need.bytes / (image.width * image.height)


def measure(case: str, folder: Path) -> dict[str, float]:
    """Measure one kind of file at both sizes."""
    paths = []
    for size in SIZES:
        image, kind, options = CASES[case](picture(*size))
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        paths.append(folder / str(size[0]))
        paths[-1].write_bytes(buffer.getvalue())
    sizes = []
    for path in paths[1:]:
        words = [sys.executable, __file__, "--peak", str(path), str(paths[0])]
        told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        sizes.append(int(told) - path.stat().st_size)
    pixels = [width * height for width, height in SIZES[1:]]
    each = (sizes[1] - sizes[0]) / (pixels[1] - pixels[0])
    return {"measured": round(each, 1), "stated": round(stated(paths[2]), 1)}


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print(peak(*options.peak))
        return
    from pillow_heif import register_heif_opener

    register_heif_opener()
    result: dict[str, Any] = {"machine": machine(), "bytes a pixel": {}}
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            if options.only not in case or ("AVIF" in case and not features.check("avif")):
                continue
            row = measure(case, Path(folder))
            result["bytes a pixel"][case] = row
            print(f"| {case} | {row['measured']} | {row['stated']} |", flush=True)
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
