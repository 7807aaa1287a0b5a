"""ONNX files: written whole or not at all, and without the exporters' talk."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx


def save_onnx(model: onnx.ModelProto, path: Path) -> None:
    """Check a graph and write it as one file that is either whole or not there.

    Args:
        model: Graph with all its weights.
        path: File to write or to replace.
    """
    import onnx

    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        onnx.save(model, str(partial))
        onnx.checker.check_model(str(partial))
        os.replace(partial, path)  # noqa: PTH105 - atomic also where the target exists
    finally:
        partial.unlink(missing_ok=True)


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
