"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no failure; how fast things are is for benchmarks/ to say.
settings.register_profile("melanoscope", deadline=None)
settings.load_profile("melanoscope")


@pytest.fixture(scope="session")
def real_folder() -> Path:
    """Folder of the real photographs and weights, or a skip that says what is missing."""
    named = os.environ.get("MELANOSCOPE_REAL")
    if not named:
        pytest.skip("MELANOSCOPE_REAL does not name the folder of real photographs and weights")
    if not (Path(named) / "lesions").is_dir():
        pytest.skip(f"no folder 'lesions' in MELANOSCOPE_REAL={named}")
    return Path(named)
