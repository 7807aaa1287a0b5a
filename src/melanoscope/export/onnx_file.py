"""ONNX files: written whole or not at all, and without the exporters' talk or files elsewhere."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import onnx

from melanoscope.atomic import atomic_path
from melanoscope.inference.onnx_content import refuse_foreign


def save_onnx(model: onnx.ModelProto, path: Path) -> None:
    """Check a graph with all its weights and write it as one file, whole or not at all."""
    content = model.SerializeToString()
    refuse_foreign(content, path.name)  # which whoever opens the bundle would refuse
    with atomic_path(path) as partial:
        partial.write_bytes(content)
        onnx.checker.check_model(str(partial))


@contextlib.contextmanager
def working_folder(place: Path) -> Iterator[Path]:
    """Make a folder in `place` for the block, in which libraries put their temporary files too.

    A graph may be larger than what the machine keeps for temporary files, and one disk is enough
    to look after.

    Args:
        place: Folder to make it in.

    Yields:
        The folder.

    Raises:
        OSError: The disk is full, also where ONNX Runtime does not say so.
    """
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix=".work-", dir=place) as folder:
        tempfile.tempdir = folder
        try:
            yield Path(folder)
        except Exception as error:
            if "serialization failed" in str(error) and shutil.disk_usage(place).free < 2**20:
                number = errno.ENOSPC
                raise OSError(number, os.strerror(number), str(place)) from error
            raise
        finally:
            tempfile.tempdir = before


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keep what exporters and quantizers say from stdout, stderr, warnings and logs."""
    disabled = logging.root.manager.disable
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(disabled)
