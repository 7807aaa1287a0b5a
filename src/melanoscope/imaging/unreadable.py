"""What is said of a file that cannot be decoded, whatever its decoder raises."""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from melanoscope.errors import DataError
from melanoscope.machine_faults import as_os_error, is_of_the_machine

# Only what cameras and archives write: every further decoder is a further way in. JPEG stands for
# MPO too (a JPEG with a second picture behind it), which Pillow knows by no name of its own. HEIC
# comes by an extra, AVIF where Pillow has it.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")

# Decoders answer broken files with any of these; ImportError is a Pillow built without one. Errors
# of ours are not among them: they are no fault of the file.
BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
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
    """A photograph of more pixels than are let in, or whose pixels take too much memory.

    `size` says how many, "8000 x 6000 pixels"; `pixels` counts each as often as it takes room.
    """

    def __init__(self, path: Path | None, size: str, pixels: int, max_pixels: int) -> None:
        super().__init__(path, f"{size}, a decompression bomb (over {max_pixels})")
        self.size, self.pixels = size, pixels


@contextlib.contextmanager
def unreadable_photographs(path: Path | None) -> Iterator[None]:
    """Turn what files and decoders raise into one line of ours, but faults of the machine."""
    try:
        yield
    except UnreadableImageError:
        raise
    except Image.DecompressionBombError:
        raise UnreadableImageError(path, "a decompression bomb") from None
    except (FileNotFoundError, NotADirectoryError):
        raise UnreadableImageError(path, "no file") from None
    except PermissionError:
        raise UnreadableImageError(path, "no permission to read") from None
    except MemoryError:
        # Decoders raise it for sizes that no file can have, too: one file must not end a run. What
        # a photograph takes has been refused before where that is too much.
        raise UnreadableImageError(path, "a file for which there is no memory left") from None
    except BROKEN as error:
        if isinstance(error, OSError) and is_of_the_machine(error):
            # No word against this photograph, which would be left out for it.
            raise (as_os_error(error, path) or error) from None
        raise UnreadableImageError(path, _why_broken(error)) from None


def _why_broken(error: BaseException) -> str:
    """Say it in words of ours: those of decoders are for their makers."""
    if isinstance(error, OSError) and error.strerror:
        return f"a file that cannot be read ({error.strerror.lower()})"
    return "a truncated file" if "truncated" in str(error).lower() else "a broken file"
