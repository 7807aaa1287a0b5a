"""Opens an image file with the one decoder its first bytes name, or says in a line why not."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from PIL import ExifTags, Image, UnidentifiedImageError

from melanoscope import file_kinds
from melanoscope.errors import DataError
from melanoscope.imaging import heif
from melanoscope.imaging.decoder_limits import exceeds_decoder_limits
from melanoscope.imaging.file_type import HEAD, detect_file_type
from melanoscope.imaging.integrity import whole_content
from melanoscope.machine_faults import as_os_error, is_of_the_machine

Source = Path | str | bytes
"""A file's path, or its content."""

# Only what cameras and archives write: every further decoder is a further way in. JPEG stands for
# MPO too (a JPEG with a second picture behind it), which Pillow knows by no name of its own. HEIC
# comes by an extra, AVIF where Pillow has it.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
_DECODERS = {"JPEG": "Jpeg", "PNG": "Png", "WEBP": "WebP", "TIFF": "Tiff", "BMP": "Bmp"}

# Pillow's own limit before it warns of a decompression bomb; larger files are refused.
MAX_PIXELS = 89_478_485
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# What its readers of tags warn of is said by our own checks, or does not concern the picture.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
# At level DEBUG Pillow logs every EXIF value it meets, the place on earth included.
logging.getLogger("PIL").setLevel(logging.INFO)

# Decoders answer broken files with any of these; ImportError is a Pillow built without one. Errors
# of ours are not among them: they are no fault of the file.
_BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


class UnreadableImageError(DataError):
    """A file that cannot be decoded whole; `reason` quotes nothing of its content."""

    def __init__(
        self,
        path: Path | None,
        reason: str,
        mend: str = "replace the file or take it out of the table",
    ) -> None:
        self.path, self.reason = path, " ".join(reason.split())
        place = "" if path is None else f" at '{path}'"
        super().__init__(
            f"a whole photograph ({', '.join(FORMATS)}, HEIC, AVIF, DICOM){place}",
            self.reason,
            mend,
        )


class TooManyPixelsError(UnreadableImageError):
    """A photograph of more pixels than are let in; `size` says how many, "8000 x 6000 pixels"."""

    def __init__(self, path: Path | None, size: str, pixels: int, max_pixels: int) -> None:
        super().__init__(path, f"{size}, a decompression bomb (over {max_pixels})")
        self.size, self.pixels = size, pixels


@contextlib.contextmanager
def open_image(source: Source, *, max_pixels: int | None = None) -> Iterator[Image.Image]:
    """Open a file as what its first bytes say; without `max_pixels` only its head is to be read."""
    # Raises UnreadableImageError also for what fails to decode inside the block, and OSError where
    # the machine fails, and would with any other file.
    if isinstance(source, str):
        source = Path(source)
    path = source if isinstance(source, Path) else None
    kind = None
    try:
        kind = _kind(source)
        source = _checked(kind, source, max_pixels)
        with _open_as(kind, source, path, max_pixels) as image:
            width, height = image.size
            if max_pixels is not None and width * height > max_pixels:
                raise TooManyPixelsError(
                    path, f"{width} x {height} pixels", width * height, max_pixels
                )
            yield image
    except UnreadableImageError:
        raise
    except Image.DecompressionBombError:
        raise UnreadableImageError(path, "a decompression bomb") from None
    except UnidentifiedImageError:
        name = "HEIC" if kind == "HEIF" else kind
        raise UnreadableImageError(path, f"a broken or unusual {name} file") from None
    except (FileNotFoundError, NotADirectoryError):
        raise UnreadableImageError(path, "no file") from None
    except PermissionError:
        raise UnreadableImageError(path, "no permission to read") from None
    except _BROKEN as error:
        if isinstance(error, OSError) and is_of_the_machine(error):
            # No word against this photograph, which would be left out for it.
            raise (as_os_error(error, path) or error) from None
        raise UnreadableImageError(path, _why_broken(error)) from None


def _why_broken(error: BaseException) -> str:
    """Say it in words of ours: those of decoders are for their makers."""
    if isinstance(error, OSError) and error.strerror:
        return f"a file that cannot be read ({error.strerror.lower()})"
    return "a truncated file" if "truncated" in str(error).lower() else "a broken file"


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8, that is still to be applied."""
    # A broken EXIF block is ignored: the photograph beside it may be whole. HEIC's decoder turns by
    # itself, as the container says, and EXIF inside is not to be believed (ISO/IEC 23008-12).
    if image.format != "HEIF":
        with contextlib.suppress(*_BROKEN):
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
            return orientation if orientation in range(1, 9) else 1
    return 1


def _kind(source: Path | bytes) -> str:
    path = source if isinstance(source, Path) else None
    if isinstance(source, Path):
        mode = source.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "no ordinary file"
            raise UnreadableImageError(path, what)
        with source.open("rb", buffering=0) as file:
            head = file.read(max(HEAD, file_kinds.HEAD))
    else:
        head = source[: max(HEAD, file_kinds.HEAD)]
    if not head:
        raise UnreadableImageError(path, "an empty file")
    kind = detect_file_type(head)
    if kind == "video":
        raise UnreadableImageError(path, "a video", "take one sharp photograph instead")
    if kind is None:
        _refuse_other_kind(path, head)
    return str(kind)


def _refuse_other_kind(path: Path | None, head: bytes) -> NoReturn:
    kind = file_kinds.detect_file_kind(head)
    reason = "no image of these formats" + (f": {kind}" if kind else "")
    mend = kind.mend("") if kind else ""
    raise UnreadableImageError(path, reason, **({"mend": mend} if mend else {}))


def _checked(kind: str, source: Path | bytes, max_pixels: int | None) -> Path | bytes:
    """Read a file that is to be decoded, and refuse what is torn or would busy its decoder."""
    path = source if isinstance(source, Path) else None
    content = source
    if isinstance(source, Path) and max_pixels is not None:
        content = source.read_bytes()
    if isinstance(content, bytes) and (excess := exceeds_decoder_limits(kind, content)):
        raise UnreadableImageError(path, excess, "save it anew with any image program")
    if isinstance(content, bytes) and max_pixels is not None:
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
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    return Image.open(file, formats=(kind,))


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
    content = source.read_bytes() if isinstance(source, Path) else source
    pixels = heif.most_pixels(content)
    if max_pixels is not None and pixels > max_pixels:
        raise TooManyPixelsError(path, f"{pixels} pixels", pixels, max_pixels)
    if heif.is_torn(content):
        raise UnreadableImageError(path, "a truncated file")
    return Image.open(io.BytesIO(content), formats=(kind,))


def _open_dicom(source: Path | bytes, path: Path | None, max_pixels: int | None) -> Image.Image:
    """Open a DICOM file, whose decoder is an extra."""
    from importlib.util import find_spec

    from melanoscope.imaging import dicom
    from melanoscope.imaging.dicom_arrays import DicomError

    if find_spec("pydicom") is None:
        raise UnreadableImageError(
            path, "a DICOM file without its decoder", "pip install 'melanoscope[dicom]'"
        )
    content = source.read_bytes() if isinstance(source, Path) else source
    most = MAX_PIXELS if max_pixels is None else max_pixels
    try:
        picture = dicom.read_dicom(content, whole=max_pixels is not None)
        pixels = picture.width * picture.height
        if pixels > most:
            raise TooManyPixelsError(
                path, f"{picture.width} x {picture.height} pixels", pixels, most
            )
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
