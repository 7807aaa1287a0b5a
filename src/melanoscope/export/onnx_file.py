"""ONNX files: written whole or not at all, and without the exporters' talk."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import onnx

from melanoscope.atomic import atomic_path


def save_onnx(model: onnx.ModelProto, path: Path) -> None:
    """Check a graph with all its weights and write it as one file, whole or not at all."""
    with atomic_path(path) as partial:
        onnx.save(model, str(partial))
        onnx.checker.check_model(str(partial))


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
