"""The built page, a Chromium to look at it with, and where screenshots are kept."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from . import harness
from .harness import Missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Keep = Callable[["Page", str], None]


@pytest.fixture(scope="session", autouse=True)
def tools() -> None:
    """Install what builds the page, where npm can; tests that need it say so where it could not."""
    npm = shutil.which("npm")
    if npm is None or (harness.WEB / "node_modules").is_dir():
        return
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(command, cwd=harness.WEB, capture_output=True, timeout=300, check=True)


@pytest.fixture(scope="session")
def built_page(tools: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the page, built anew."""
    folder = tmp_path_factory.mktemp("page") / "built"
    vite = "node_modules/vite/bin/vite.js"
    try:
        command = [harness.node(), vite, "build", "--outDir", str(folder), "--emptyOutDir"]
    except Missing as missing:
        pytest.skip(str(missing))
    done = subprocess.run(command, cwd=harness.WEB, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    try:
        with harness.chromium() as one:
            yield one
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def keep() -> Keep:
    """Keep a screenshot of the whole page, where MELANOSCOPE_ARTEFACTS names a folder."""
    named = os.environ.get("MELANOSCOPE_ARTEFACTS")

    def save(page: Page, name: str) -> None:
        if named:
            Path(named).mkdir(parents=True, exist_ok=True)
            # From its top: what is always in sight would hang in the middle of the picture.
            page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
            page.screenshot(path=Path(named) / f"page-{name}.png", full_page=True)

    return save
