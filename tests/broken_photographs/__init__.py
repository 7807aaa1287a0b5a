"""A corpus of broken and odd photographs, made of drawn lesions from a seed; no real one is needed.

Each entry says what is right of it: read with the same pixels as the whole file, refused, or either
of both. `python -m tests.broken_photographs FOLDER` writes it for a person to look at.
"""

import pytest

pytest.register_assert_rewrite(f"{__name__}.checks", f"{__name__}.routes")

from .entry import Entry, Right  # noqa: E402
from .make import corpus, small_corpus  # noqa: E402

__all__ = ["Entry", "Right", "corpus", "small_corpus"]
