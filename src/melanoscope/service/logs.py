"""Logs as lines of JSON, without anything that tells who asked about what.

No file name, nothing that is said of a person, no answer; addresses of clients only where they are
asked for. Messages of exceptions may quote what a client sent, so only their types and places are
written.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

LOGGER = logging.getLogger("melanoscope.service")

# These quote what they parse, or say again what `LOGGER` says.
_QUIET = ("python_multipart", "PIL", "py.warnings", "uvicorn.access", "asyncio")
# Of other loggers' records, texts may hold anything; these are uvicorn's own and hold nothing.
_TRUSTED = ("melanoscope.service", "uvicorn.error")


class JsonLines(logging.Formatter):
    """One record, one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.name in _TRUSTED and not record.exc_info:
            line["event"] = record.getMessage()
        else:
            line["event"] = "error" if record.exc_info else "a message of a library"
        line |= getattr(record, "data", {})
        if record.exc_info and record.exc_info[1] is not None:
            line |= described(record.exc_info[1])
        return json.dumps(line)


def described(error: BaseException) -> dict[str, object]:
    """Say where an exception comes from, and not what it says."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "exception": type(error).__name__,
        "at": [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in frames[-8:]],
    }


def configure(stream: TextIO | None = None) -> None:
    """Send all logs of this process to a stream (stdout by default), as lines of JSON."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(logging.WARNING)
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = True
