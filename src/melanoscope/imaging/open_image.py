"""Opens an image file with the one decoder its first bytes name, or says in a line why not."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError

from melanoscope.imaging import heif
from melanoscope.imaging.content import MAX_PIXELS as MAX_PIXELS
from melanoscope.imaging.content import Source as Source
from melanoscope.imaging.content import detect_kind, read_bounded, refuse_long
from melanoscope.imaging.decoder_limits import exceeds_decoder_limits
from melanoscope.imaging.integrity import whole_content
from melanoscope.imaging.memory_limits import Need, need_of, need_of_webp
from melanoscope.imaging.unreadable import BROKEN, unreadable_photographs
from melanoscope.imaging.unreadable import FORMATS as FORMATS
from melanoscope.imaging.unreadable import TooManyPixelsError as TooManyPixelsError
from melanoscope.imaging.unreadable import UnreadableImageError as UnreadableImageError

_DECODERS = {"JPEG": "Jpeg", "PNG": "Png", "WEBP": "WebP", "TIFF": "Tiff", "BMP": "Bmp"}

# Larger pictures are refused by our own limits.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# What its readers of tags warn of is said by our own checks, or does not concern the picture.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
# At level DEBUG Pillow logs every EXIF value it meets, the place on earth included.
logging.getLogger("PIL").setLevel(logging.INFO)


@contextlib.contextmanager
def open_image(source: Source, *, max_pixels: int | None = None) -> Iterator[Image.Image]:
    """Open a file as what its first bytes say; without `max_pixels` only its head is to be read."""
    # Raises UnreadableImageError also for what fails to decode inside the block, and OSError where
    # the machine fails, and would with any other file.
    if isinstance(source, str):
        source = Path(source)
    path = source if isinstance(source, Path) else None
    with unreadable_photographs(path):
        kind = detect_kind(source)
        refuse_long(source, MAX_PIXELS if max_pixels is None else max_pixels)
        source = _checked(kind, source, max_pixels)
        with _open_as(kind, source, path, max_pixels) as image:
            if max_pixels is not None and kind != "DICOM":
                _refuse_large(path, need_of(kind, image), max_pixels)
            yield image


def _refuse_large(path: Path | None, need: Need, max_pixels: int) -> None:
    if need.pixels > max_pixels:
        raise TooManyPixelsError(path, str(need), need.pixels, max_pixels)


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8, that is still to be applied."""
    # A broken EXIF block is ignored: the photograph beside it may be whole. HEIC's decoder turns by
    # itself, as the container says, and EXIF inside is not to be believed (ISO/IEC 23008-12).
    if image.format != "HEIF":
        with contextlib.suppress(*BROKEN):
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
            return orientation if orientation in range(1, 9) else 1
    return 1


def _checked(kind: str, source: Path | bytes, max_pixels: int | None) -> Path | bytes:
    """Read a file that is to be decoded, and refuse what is torn or would busy its decoder."""
    path = source if isinstance(source, Path) else None
    content = source
    if isinstance(source, Path) and max_pixels is not None:
        content = read_bounded(source, max_pixels)
    if isinstance(content, bytes) and (excess := exceeds_decoder_limits(kind, content)):
        raise UnreadableImageError(path, excess, "save it anew with any image program")
    if isinstance(content, bytes) and max_pixels is not None:
        # Before anything opens a WebP, whose decoder reserves its canvases at once.
        if kind == "WEBP" and (need := need_of_webp(content)) is not None:
            _refuse_large(path, need, max_pixels)
        whole = whole_content(kind, content, max_pixels)
        if whole is None:
            raise UnreadableImageError(path, "a truncated file")
        return whole
    return content


def _open_as(
    kind: str, source: Path | bytes, path: Path | None, max_pixels: int | None
) -> Image.Image:
    """Open with the one decoder of a format; Pillow would load all of them to find it."""
    if kind in ("HEIF", "AVIF"):
        return _open_boxed(kind, source, path, max_pixels)
    if kind == "DICOM":
        return _open_dicom(source, path, max_pixels)
    importlib.import_module(f"PIL.{_DECODERS[kind]}ImagePlugin")
    if kind == "WEBP" and isinstance(source, Path):
        source = read_bounded(source, MAX_PIXELS)  # as its decoder does, without a limit
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    return _open(kind, file, path)


def _open(kind: str, file: io.BytesIO | Path, path: Path | None) -> Image.Image:
    try:
        return Image.open(file, formats=(kind,))
    except UnidentifiedImageError:
        name = "HEIC" if kind == "HEIF" else kind
        raise UnreadableImageError(path, f"a broken or unusual {name} file") from None


def _open_boxed(
    kind: str, source: Path | bytes, path: Path | None, max_pixels: int | None
) -> Image.Image:
    """Open HEIC or AVIF, whose decoders are optional and do not report torn files."""
    from PIL import features

    if kind == "HEIF":
        _register_heif(path)
    elif not features.check("avif"):
        raise UnreadableImageError(
            path, "an AVIF photograph", "save it as JPEG, or pip install --upgrade pillow"
        )
    content = read_bounded(source, MAX_PIXELS) if isinstance(source, Path) else source
    pixels = heif.most_pixels(content)
    if max_pixels is not None and pixels > max_pixels:
        raise TooManyPixelsError(path, f"{pixels} pixels", pixels, max_pixels)
    if heif.is_torn(content):
        raise UnreadableImageError(path, "a truncated file")
    return _open(kind, io.BytesIO(content), path)


def _open_dicom(source: Path | bytes, path: Path | None, max_pixels: int | None) -> Image.Image:
    """Open a DICOM file, whose decoder is an extra."""
    from importlib.util import find_spec

    from melanoscope.imaging import dicom
    from melanoscope.imaging.dicom_arrays import DicomError

    if find_spec("pydicom") is None:
        raise UnreadableImageError(
            path, "a DICOM file without its decoder", "pip install 'melanoscope[dicom]'"
        )
    content = read_bounded(source, MAX_PIXELS) if isinstance(source, Path) else source
    most = MAX_PIXELS if max_pixels is None else max_pixels
    try:
        picture = dicom.read_dicom(content, whole=max_pixels is not None)
        _refuse_large(path, picture.need, most)
        if max_pixels is None:
            return Image.new("1", (picture.width, picture.height))
        return dicom.decode_dicom(picture, most)
    except DicomError as error:
        mend = {} if error.mend is None else {"mend": error.mend}
        raise UnreadableImageError(path, error.reason, **mend) from None


def _register_heif(path: Path | None) -> None:
    try:
        import pillow_heif
    except ImportError:
        raise UnreadableImageError(
            path, "a HEIC photograph without its decoder", "pip install 'melanoscope[heic]'"
        ) from None
    pillow_heif.register_heif_opener()
