"""From arrays of a DICOM file's pixels (uncompressed, run-length coded, grey) to images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoscope.imaging import dicom_color
from melanoscope.imaging.raw_rows import stops_within_a_row

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

AS_JPEG = "save it as JPEG or PNG with a DICOM viewer"


class DicomError(Exception):
    """A DICOM file that gives no picture: why, and how to mend it where something special helps."""

    def __init__(self, reason: str, mend: str | None = None) -> None:
        self.reason, self.mend = reason, mend
        super().__init__(reason)


def from_native(dataset: Dataset) -> Image.Image:
    """Make an image of the first frame of uncompressed pixels."""
    from pydicom.pixels.utils import get_expected_length, pixel_array

    photometric = photometric_of(dataset)
    _refuse_unusual(dataset)
    if photometric == "YBR_FULL_422" and _has_all_channels(dataset):
        dataset.PhotometricInterpretation = "YBR_FULL"
    if get_expected_length(dataset) > len(dataset.PixelData) or _stops_within_a_row(dataset):
        raise DicomError("a truncated file")
    return _to_image(dataset, pixel_array(dataset, index=0, raw=True))


def from_run_lengths(dataset: Dataset, frame: bytes) -> Image.Image:
    """Make an image of a frame in run-length code (PS3.5, annex G)."""
    # The code is that of TIFF's PackBits. Pillow's decoder writes no more than a picture has, where
    # one in Python takes seconds and grows a small file to gigabytes.
    _refuse_unusual(dataset)
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    wide, samples = int(dataset.BitsAllocated) // 8, int(dataset.SamplesPerPixel)
    head = np.frombuffer(frame[:64], "<u4")
    if head[0] != wide * samples or wide == 0:
        raise DicomError("a broken DICOM file")
    ends = [*head[2 : head[0] + 1], len(frame)]
    planes = [
        Image.frombytes("L", (rows * columns, 1), frame[start:end], "packbits", "L")
        for start, end in zip(head[1 : head[0] + 1], ends, strict=True)
    ]
    # The higher byte of each sample comes first.
    stacked = np.stack([np.asarray(plane).reshape(rows, columns) for plane in planes], axis=-1)
    if wide == 2:
        kind = ">i2" if dataset.get("PixelRepresentation") else ">u2"
        stacked = stacked.view(kind).astype(kind.replace(">", "="))
    return _to_image(dataset, stacked[..., 0] if samples == 1 else stacked)


def to_grey(dataset: Dataset, pixels: NDArray[Any], *, shifted: bool) -> Image.Image:
    """Bring grey of 1 to 16 bits to 8, through the file's window where it has one."""
    signed = pixels.dtype.kind == "i"
    size = 8 * pixels.dtype.itemsize if pixels.dtype.kind in "iu" else 8
    pixels = pixels if pixels.dtype.kind in "iu" else pixels.astype(np.uint8)
    # Pillow moves the bits of JPEG 2000 up to 16; elsewhere the stored ones lie below.
    bits = size if shifted else int(dataset.get("BitsStored") or size)
    levels = np.arange(1 << size, dtype=np.float64)
    if signed:
        levels = np.where(levels < 1 << (size - 1), levels, levels - (1 << size))
    low, high = (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if signed else (0.0, 2.0**bits - 1)
    stored = pixels.view(np.uint8 if size == 8 else np.uint16)
    window = None if shifted else _window(dataset)
    if window is not None:
        slope, shift = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
        scaled = levels * float(1 if slope is None else slope) + float(shift or 0)
        seen = scaled[[stored.min(), stored.max()]]
        # A window that shows nothing of the picture is another picture's.
        if seen.max() > window[0] and seen.min() < window[1]:
            levels, (low, high) = scaled, window
    grey = np.clip((levels - low) * (255.0 / max(high - low, 1e-6)), 0, 255)
    if photometric_of(dataset) == "MONOCHROME1":
        grey = 255.0 - grey
    table = np.rint(grey).astype(np.uint8)
    return Image.fromarray(table[stored])


def photometric_of(dataset: Dataset) -> str:
    """Return what a file states of its colors; empty where it states nothing."""
    return str(dataset.get("PhotometricInterpretation") or "").strip().upper()


def _refuse_unusual(dataset: Dataset) -> None:
    if dataset.BitsAllocated not in (1, 8, 16):
        raise DicomError(f"{dataset.BitsAllocated} bits a pixel", AS_JPEG)
    if photometric_of(dataset).startswith("YBR_PARTIAL"):
        raise DicomError("YCbCr of a retired kind (YBR_PARTIAL)", AS_JPEG)
    # Old files keep other things in the bits below a sample, too little to be seen.
    bits = int(dataset.get("HighBit") or 0) + 1
    if int(dataset.get("BitsStored") or 0) < bits <= dataset.BitsAllocated:
        dataset.BitsStored = bits


def _has_all_channels(dataset: Dataset) -> bool:
    """Whether uncompressed pixels called YBR_FULL_422 have three channels at each place."""
    frames = int(dataset.get("NumberOfFrames") or 1)
    return len(dataset.PixelData) >= 3 * int(dataset.Rows) * int(dataset.Columns) * frames


def _stops_within_a_row(dataset: Dataset) -> bool:
    """Whether the first frame of uncompressed pixels ends in zeros that were never written."""
    samples, size = int(dataset.get("SamplesPerPixel") or 1), int(dataset.BitsAllocated) // 8
    rows, width = int(dataset.Rows), int(dataset.Columns)
    if size == 0:
        return False
    if photometric_of(dataset) == "YBR_FULL_422":  # two places share four samples
        width, pixel = width // 2, 4 * size
    elif samples > 1 and dataset.get("PlanarConfiguration"):
        rows, pixel = rows * samples, size
    else:
        pixel = samples * size
    return stops_within_a_row(
        dataset.PixelData[: rows * width * pixel], width * pixel, pixel, width
    )


def _to_image(dataset: Dataset, pixels: NDArray[Any]) -> Image.Image:
    """Bring stored samples, (h, w) or (h, w, 3), to 8 bits of grey or RGB."""
    photometric = photometric_of(dataset)
    if photometric == "PALETTE COLOR":
        from pydicom.pixels.processing import apply_color_lut

        colors = apply_color_lut(pixels, dataset)
        return Image.fromarray(
            (colors >> 8).astype(np.uint8) if colors.dtype.itemsize > 1 else colors
        )
    if pixels.ndim == 2:
        return to_grey(dataset, pixels, shifted=False)
    if pixels.dtype.itemsize > 1:
        top = (1 << int(dataset.get("BitsStored") or 16)) - 1
        pixels = (np.clip(pixels, 0, top).astype(np.uint32) * 255 // top).astype(np.uint8)
    return dicom_color.to_rgb(pixels, dicom_color.is_stated_ycbcr(photometric))


def _window(dataset: Dataset) -> tuple[float, float] | None:
    """Return the values that become black and white (PS3.3, C.11.2.1.2.1), the first if several."""
    center, width = (_first(dataset.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if center is None or width is None or width < 1:
        return None
    return center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2


def _first(value: Any) -> float | None:
    if value is None or value == "":
        return None
    several = not isinstance(value, str | float | int)
    return (float(value[0]) if len(value) else None) if several else float(value)
