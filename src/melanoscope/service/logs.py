"""Logs as lines of JSON that never tell who sent what.

No file name, nothing about a person, no answer; addresses of clients only where `log_clients` asks
for them. Messages of exceptions may quote a client, so that only their types and places are logged.
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

# These quote what they parse, or repeat what `LOGGER` logs.
_SILENCED = ("python_multipart", "PIL", "py.warnings", "uvicorn.access", "asyncio")
# Messages of other loggers may hold anything; uvicorn's own hold nothing of a request.
_TRUSTED = ("melanoscope.service", "uvicorn.error")


class JsonFormatter(logging.Formatter):
    """Format a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of `record`, without the message of an exception or of a library."""
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
            line |= exception_summary(record.exc_info[1])
        return json.dumps(line)


def exception_summary(error: BaseException) -> dict[str, object]:
    """Return the type of `error` and its innermost 8 places in the code, without its message."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "exception": type(error).__name__,
        "at": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames[-8:]],
    }


def configure_logging(stream: TextIO | None = None) -> None:
    """Send all logs of this process to `stream` (stdout where None), as lines of JSON."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    for name in _SILENCED:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(logging.WARNING)
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = True
