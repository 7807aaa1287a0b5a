"""Disks of up to a dozen sizes, all too small: one line, nothing torn that is later trusted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.torture.faults.commands import COMMANDS, Prepared
from tests.torture.faults.disks import disk, needs_mounts, remount
from tests.torture.faults.forking import Runner, expect_one_line

pytestmark = [pytest.mark.torture, needs_mounts]
# Sizes that are tried: fewer of what takes long, and of what a cache adds to the same command.
SIZES = {"benchmark, cache": 6, "train": 4, "train, cache": 4, "export": 8}
SHARES = [
    (name, (number + 0.5) / (SIZES.get(name, 12) + 0.5))
    for name in COMMANDS
    for number in range(SIZES.get(name, 12))
]


@pytest.mark.parametrize(("name", "share"), SHARES)
def test_a_full_disk(
    run: Runner,
    prepared: Prepared,
    undisturbed: Callable[[str], tuple[Any, int, int]],
    tmp_path: Path,
    name: str,
    share: float,
) -> None:
    command = COMMANDS[name]
    result, before, after = undisturbed(name)
    place = tmp_path / "disk"
    with disk(place, before + 4 + round(share * max(after - before, before))):
        out = (place if command.disk == "out" else tmp_path) / "out"
        cache = place if command.disk == "cache" else tmp_path / "cache"
        command.prepare(prepared, out)
        words = command.words(prepared, out, cache)
        page = out / command.page if command.page else None
        of_before = page.read_bytes() if page else b""
        stopped = run(*words)
        if stopped.status == 0:  # what was asked of the disk is less than what lies there at last
            assert command.result(out) == result
            return
        expect_one_line(stopped, place, "free")
        assert page is None or page.read_bytes() == of_before
        remount(place, "size=1g")
        resumed = run(*words)
        assert resumed.status == 0, resumed.err
        assert command.result(out) == result
        if page is not None:
            assert page.read_bytes() != of_before
        left = [p.name for p in place.rglob(".*") if p.suffix == ".partial" or ".tmp" in p.name]
        assert not left
