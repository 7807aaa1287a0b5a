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
from melanoscope.inference.onnx_content import refuse_foreign


def save_onnx(model: onnx.ModelProto, path: Path) -> None:
    """Check a graph with all its weights and write it as one file, whole or not at all."""
    content = model.SerializeToString()
    refuse_foreign(content, path.name)  # which whoever opens the bundle would refuse
    with atomic_path(path) as partial:
        partial.write_bytes(content)
        onnx.checker.check_model(str(partial))


def raise_fault_of_the_machine(error: BaseException) -> None:
    """Raise what an error of an exporter comes from if that is the disk or the memory.

    Args:
        error: What was caught; exporters wrap what they meet in errors of their own.

    Raises:
        OSError: A disk that is full, a file that cannot be written.
        MemoryError: Too little memory.
    """
    seen: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in seen:
        if isinstance(one, OSError | MemoryError):
            raise one
        seen.append(one)
        one = one.__cause__ or one.__context__


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
