"""DICOM files of drawn photographs."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    RLELossless,
)

OWNER = "Mustermann^Erika"
DERMOSCOPY = "1.2.840.10008.5.1.4.1.1.77.1.7"
NATIVE = {
    "little": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "big": ExplicitVRBigEndian,
}
JPEG, JPEG_LOSSLESS, J2K, RLE = JPEGBaseline8Bit, JPEGLosslessSV1, JPEG2000, RLELossless
DEFLATED = DeflatedExplicitVRLittleEndian


def lesion(width: int = 96, height: int = 80) -> Image.Image:
    """A brown spot on skin in a dark corner: what tells RGB from YCbCr in a photograph."""
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    spot = np.exp(-4 * ((x - 0.1) ** 2 + (y + 0.1) ** 2))[..., None]
    skin, brown = np.array((214.0, 166.0, 148.0)), np.array((92.0, 58.0, 46.0))
    light = np.clip(1.25 - 0.5 * (x**2 + y**2), 0.2, 1)[..., None]
    return Image.fromarray(np.rint((skin + (brown - skin) * spot) * light).astype(np.uint8))


def to_ycbcr(rgb: np.ndarray) -> np.ndarray:
    """Convert as JFIF has it, rounded (Pillow truncates)."""
    red, green, blue = np.moveaxis(rgb.astype(float), 2, 0)
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    channels = [y, (blue - y) / 1.772 + 128, (red - y) / 1.402 + 128]
    return np.rint(np.stack(channels, axis=-1)).clip(0, 255).astype(np.uint8)


def write(dataset: Dataset, syntax: Any = ExplicitVRLittleEndian) -> bytes:
    """Write a dataset with the tags of a person, all of which must stay in the decoder."""
    dataset.SOPClassUID, dataset.SOPInstanceUID = DERMOSCOPY, "1.2.3.4"
    dataset.PatientName = dataset.InstitutionName = str(dataset.get("PatientName", OWNER))
    dataset.PatientID, dataset.PatientBirthDate = "ERIKA-4711", "19640812"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = DERMOSCOPY
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def described(width: int, height: int, photometric: str, samples: int = 3, **tags: Any) -> Dataset:
    dataset = Dataset()
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = height, width, samples
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    if samples > 1:
        dataset.PlanarConfiguration = 0
    for name, value in tags.items():
        setattr(dataset, name, value)
    return dataset


def native(pixels: np.ndarray, photometric: str, syntax: str = "little", **tags: Any) -> bytes:
    """Write uncompressed pixels, (h, w) or (h, w, 3), of one byte or two."""
    samples = 1 if pixels.ndim == 2 else 3
    bits = 8 * pixels.dtype.itemsize
    tags = {"BitsAllocated": bits, "BitsStored": bits, "HighBit": bits - 1} | tags
    height, width = pixels.shape[:2]
    dataset = described(width, height, photometric, samples, **tags)
    stored = np.moveaxis(pixels, 2, 0) if tags.get("PlanarConfiguration") else pixels
    stored = stored.byteswap() if syntax == "big" else stored
    data = np.ascontiguousarray(stored).tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OW" if bits == 16 else "OB"
    return write(dataset, NATIVE[syntax])


def coded(
    frames: list[bytes], size: tuple[int, int], photometric: str, syntax: Any, **tags: Any
) -> bytes:
    """Write coded frames."""
    grey = photometric.startswith(("MONO", "PALETTE"))
    if len(frames) > 1:
        tags["NumberOfFrames"] = len(frames)
    dataset = described(*size, photometric, 1 if grey else 3, **tags)
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return write(dataset, syntax)


def jpeg(image: Image.Image, *, marks: str = "jfif", **options: Any) -> bytes:
    """Code a JPEG whose mark of colors is JFIF's, or none."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95, **options)
    content = file.getvalue()
    if marks != "jfif":
        at = content.index(b"\xff\xe0")
        size = int.from_bytes(content[at + 2 : at + 4], "big")
        content = content[:at] + content[at + 2 + size :]
    return content


def lossless_jpeg(pixels: np.ndarray, *, jfif: bool) -> bytes:
    """Code three channels (h, w, 3) by ITU-T T.81's process 14, predictor 1, untransformed."""
    height, width = pixels.shape[:2]
    values = pixels.astype(int)
    before = np.empty_like(values)
    before[:, 1:], before[1:, 0], before[0, 0] = values[:, :-1], values[:-1, 0], 128
    bits = []
    for difference in (values - before).reshape(-1).tolist():
        size = abs(difference).bit_length()
        bits.append(f"{size:04b}")
        if size:
            bits.append(f"{difference + (difference < 0) * ((1 << size) - 1):0{size}b}")
    joined = "".join(bits)
    joined += "1" * (-len(joined) % 8)
    scan = int(joined, 2).to_bytes(len(joined) // 8, "big").replace(b"\xff", b"\xff\x00")
    # All ones is no code, so that 15 codes of four bits serve the sizes 0 to 8.
    table = bytes([0, 0, 0, 0, 9] + [0] * 12) + bytes(range(9))
    head = b"JFIF\0\1\1\0\0\1\0\1\0\0"
    parts = [(0xE0, head)] if jfif else []
    parts += [
        (0xC4, table),
        (0xC3, struct.pack(">BHHB", 8, height, width, 3) + b"\1\x11\0\2\x11\0\3\x11\0"),
        (0xDA, b"\3\1\0\2\0\3\0\1\0\0"),
    ]
    coded = b"".join(struct.pack(">BBH", 0xFF, m, len(b) + 2) + b for m, b in parts)
    return b"\xff\xd8" + coded + scan + b"\xff\xd9"
