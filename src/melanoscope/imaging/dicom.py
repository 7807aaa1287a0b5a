"""Reads photographs out of DICOM files (extra `[dicom]`): dermoscopy, photography, captures.

Only what describes pixels is read: who, where and when is skipped before it becomes an object. The
first frame counts. Pillow decodes what is coded; a plain JPEG comes out as from a JPEG file, bit
for bit. Colors: `dicom_color`. Orientation by patient's
axes is no rotation and is passed over, EXIF inside is not to be believed: a DICOM file has none.
"""

from __future__ import annotations

import io
import logging
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from melanoscope.imaging import dicom_color
from melanoscope.imaging.decoder_limits import exceeds_decoder_limits
from melanoscope.imaging.dicom_arrays import (
    AS_JPEG,
    DicomError,
    from_native,
    from_run_lengths,
    photometric_of,
    to_grey,
)
from melanoscope.imaging.integrity import whole_content
from melanoscope.imaging.memory_limits import Need, need_of_dicom

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# They quote what a file holds.
warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
logging.getLogger("pydicom").setLevel(logging.CRITICAL)

# Height and width of a pixel, or what is as good as these.
_SPACINGS = (
    "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio",
)  # fmt: skip
_TAGS = (
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "NumberOfFrames"),
    *_SPACINGS,
    *("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth"),
    *("ICCProfile", "OpticalPathSequence", "EncryptedAttributesSequence"),
    *(f"{color}PaletteColorLookupTable{part}" for color in ("Red", "Green", "Blue")
      for part in ("Descriptor", "Data")),
    *(f"Segmented{color}PaletteColorLookupTableData" for color in ("Red", "Green", "Blue")),
    *("ExtendedOffsetTable", "ExtendedOffsetTableLengths", "PixelData"),
)  # fmt: skip
_DEFLATED, _RLE = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5"
_VIDEO = "1.2.840.10008.1.2.4.10"  # MPEG-2, MPEG-4 and HEVC: .100 to .108
_JPEG_2000 = (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")
_MAX_TILES = 16_384  # of a JPEG 2000; each costs its decoder some time
_MAX_STRETCH = 4.0


@dataclass(frozen=True, eq=False)
class DicomPicture:
    """A DICOM file whose head was read.

    Attributes:
        dataset: What describes pixels, and the pixel data if the file was read whole.
        width: Width of the photograph in square pixels.
        height: Its height.
        need: What decoding it takes; it may be stored larger than it is shown.
    """

    dataset: Dataset
    width: int
    height: int
    need: Need


def read_dicom(content: bytes, *, whole: bool) -> DicomPicture:
    """Read the head of a DICOM file; with `whole` its coded pixels too, still undecoded."""
    from pydicom import dcmread
    from pydicom.filereader import read_dataset, read_preamble

    try:
        file = io.BytesIO(content)
        read_preamble(file, force=False)
        meta = read_dataset(file, False, True, stop_when=lambda tag, _vr, _length: tag >> 16 != 2)
        # pydicom would inflate it at once, however large it becomes.
        if meta.get("TransferSyntaxUID") == _DEFLATED:
            raise DicomError("a deflated DICOM file", AS_JPEG)
        tags: list[Any] = list(_TAGS)
        head = dcmread(io.BytesIO(content), specific_tags=tags, stop_before_pixels=True)
        dataset = dcmread(io.BytesIO(content), specific_tags=tags) if whole else head
        # At a file's early end pydicom gives up all that it had read.
        if "Rows" in head and "Rows" not in dataset:
            raise DicomError("a truncated file")
        rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
        samples, bits = (
            int(dataset.get(name) or usual)
            for name, usual in (("SamplesPerPixel", 1), ("BitsAllocated", 8))
        )
        stretch = _stretch(dataset)
    except DicomError:
        raise
    except Exception:  # noqa: BLE001 - pydicom promises no errors, and its texts quote the file
        raise DicomError("a broken DICOM file") from None
    if rows < 1 or columns < 1:
        raise DicomError("a DICOM file without a picture (a report, or the index of a disk)")
    wide, high = max(1.0, stretch), max(1.0, 1.0 / stretch)
    width, height = round(columns * wide), round(rows * high)
    need = need_of_dicom(width, height, samples, bits, len(content))
    return DicomPicture(dataset, width, height, need)


def decode_dicom(picture: DicomPicture, max_pixels: int) -> Image.Image:
    """Decode the first frame of a file that was read whole, or open it where it is a plain JPEG.

    Args:
        picture: What `read_dicom` gave.
        max_pixels: Number of pixels that no coded frame may exceed.

    Returns:
        An image in L or RGB with its ICC profile and nothing else in `info`.

    Raises:
        DicomError: There are no pixels, they are torn, or coded in a way that is not read.
    """
    dataset = picture.dataset
    try:
        if "PixelData" not in dataset:
            raise DicomError(_why_without_pixels(dataset))
        image = _first_frame(dataset, max_pixels)
        profile = _profile(dataset) or image.info.get("icc_profile")
    except DicomError:
        raise
    except Exception:  # noqa: BLE001 - as above; Pillow's own errors come when it loads
        raise DicomError("a broken DICOM file") from None
    image.info = {} if profile is None else {"icc_profile": profile}
    if image.size != (picture.width, picture.height):
        stretched = image.resize((picture.width, picture.height), Image.Resampling.BICUBIC)
        stretched.info = image.info
        return stretched
    return image


def _first_frame(dataset: Dataset, max_pixels: int) -> Image.Image:
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.startswith(_VIDEO):
        raise DicomError("a video", "take one sharp photograph instead")
    if not syntax.is_encapsulated:
        return from_native(dataset)
    frame = _coded_frame(dataset)
    if syntax == _RLE:
        return from_run_lengths(dataset, frame)
    stated = dicom_color.is_stated_ycbcr(photometric_of(dataset))
    image = _open_coded(frame, stated, max_pixels)
    if image.size != (dataset.Columns, dataset.Rows) or image.width * image.height > max_pixels:
        raise DicomError("a broken DICOM file: its picture is not of the size that it states")
    if image.mode == "RGB" and image.format == "JPEG2000":
        transformed = dicom_color.has_color_transform(frame)
        return image if transformed else dicom_color.to_rgb(np.asarray(image), stated)
    if image.mode == "RGB" or (image.mode == "L" and photometric_of(dataset) == "MONOCHROME2"):
        return image
    return to_grey(dataset, np.asarray(image), shifted=True)


def _coded_frame(dataset: Dataset) -> bytes:
    from pydicom.encaps import get_frame

    tables = [dataset.get(name) for name in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")]
    return get_frame(
        dataset.PixelData,
        0,
        number_of_frames=int(dataset.get("NumberOfFrames") or 1),
        extended_offsets=(tables[0], tables[1]) if all(tables) else None,
    )


def _open_coded(frame: bytes, stated: bool, max_pixels: int) -> Image.Image:
    if frame.startswith(_JPEG_2000):
        return _open_jpeg2000(frame)
    if not frame.startswith(b"\xff\xd8\xff") or frame.startswith(b"\xff\xd8\xff\xf7"):
        raise DicomError("pixels coded in a way that is not read here (JPEG-LS, JPEG XL)", AS_JPEG)
    if excess := exceeds_decoder_limits("JPEG", frame):
        raise DicomError(excess, AS_JPEG)
    if (bits := dicom_color.jpeg_precision(frame)) != 8:
        raise DicomError(f"a JPEG of {bits} bits a color", AS_JPEG)
    whole = whole_content("JPEG", frame, max_pixels)
    if whole is None:
        raise DicomError("a truncated file")
    return dicom_color.open_jpeg(whole, stated)


def _open_jpeg2000(frame: bytes) -> Image.Image:
    from PIL import Jpeg2KImagePlugin  # noqa: F401 - Pillow loads decoders by their import

    place = frame.find(_JPEG_2000[0]) + 8
    sizes = [int.from_bytes(frame[place + at : place + at + 4], "big") for at in range(0, 32, 4)]
    width, height, tile_width, tile_height = sizes[0], sizes[1], sizes[4], sizes[5]
    if -(-width // tile_width) * -(-height // tile_height) > _MAX_TILES:
        raise DicomError(f"more than {_MAX_TILES} tiles", AS_JPEG)
    return Image.open(io.BytesIO(frame), formats=("JPEG2000",))


def _stretch(dataset: Dataset) -> float:
    """Return the width of a pixel by its height."""
    for name in _SPACINGS:
        value = dataset.get(name)
        if value is not None and len(value) == 2 and min(float(v) for v in value) > 0:
            stretch = float(value[1]) / float(value[0])
            if not 1 / _MAX_STRETCH <= stretch <= _MAX_STRETCH:
                raise DicomError("pixels more than four times as long as wide")
            return 1.0 if abs(stretch - 1) < 0.005 else stretch
    return 1.0


def _profile(dataset: Dataset) -> bytes | None:
    paths = dataset.get("OpticalPathSequence") or ()
    profile = dataset.get("ICCProfile") or next((path.get("ICCProfile") for path in paths), None)
    return profile if isinstance(profile, bytes) else None


def _why_without_pixels(dataset: Dataset) -> str:
    if dataset.get("EncryptedAttributesSequence"):
        return "an encrypted DICOM file"
    return "a DICOM file without pixels, or one torn off before them"
