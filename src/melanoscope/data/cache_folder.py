"""Where decoded photographs and answers are kept between calls."""

from __future__ import annotations

import os
from pathlib import Path

from melanoscope.errors import RunError


def cache_folder(option: Path | None = None) -> Path:
    """Choose the folder.

    Args:
        option: Folder that the user names.

    Returns:
        That folder; else MELANOSCOPE_CACHE, else melanoscope in the user's cache.

    Raises:
        RunError: The user has no home folder.
    """
    if option is not None:
        return option
    if variable := os.environ.get("MELANOSCOPE_CACHE"):
        return Path(variable)
    if variable := os.environ.get("XDG_CACHE_HOME"):
        return Path(variable) / "melanoscope"
    try:
        return Path.home() / ".cache" / "melanoscope"
    except RuntimeError:
        raise RunError(
            "a home folder to keep decoded photographs in", "none", "name a folder with --cache"
        ) from None
