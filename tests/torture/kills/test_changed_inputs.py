"""What is changed between a kill and the next start is refused by name: no run mixes two."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .commands import Command
from .launch import ForkServer
from .workplace import KILLED, Workplace

_TABLE = "{root}/photos/table.csv"
_WORDS = (
    *("benchmark", "--data", f"table={_TABLE}", "--transfer", "scratch", "--size", "32"),
    *("--threads", "1", "--folds", "2", "--epochs", "2", "--backbones", "standard_cnn"),
    *("--out", "{root}/run"),
)


def write_photographs(root: Path) -> None:
    """Bitmaps of one shape, which all have one size in bytes."""
    folder = root / "photos"
    folder.mkdir()
    lines = ["path,target,patient_id"]
    for i in range(48):
        pixels = np.random.default_rng(i).integers(0, 256, (40, 40, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.bmp")
        lines.append(f"{i}.bmp,{int(i % 3 == 0)},p{i // 2}")
    (folder / "table.csv").write_text("\n".join(lines) + "\n")


COMMAND = Command("own table", _WORDS, before=(), prepare=write_photographs)


def other_photograph(folder: Path) -> None:
    one, other = folder / "7.bmp", folder / "8.bmp"
    times = one.stat()
    one.write_bytes(other.read_bytes()[:-1] + b"\x01")
    os.utime(one, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert (one.stat().st_size, one.stat().st_mtime_ns) == (times.st_size, times.st_mtime_ns)


def replaced(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        table = folder / "table.csv"
        text = table.read_text()
        assert text.count(old) == 1
        table.write_text(text.replace(old, new))

    return change


def unchanged(folder: Path) -> None:
    pass


@pytest.fixture(scope="module")
def begun(server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A run whose first cell is finished, killed."""
    return Workplace(server, COMMAND, tmp_path_factory.mktemp("begun"))


@pytest.mark.torture
@pytest.mark.parametrize(
    ("change", "more", "named"),
    [
        (other_photograph, (), "data_fingerprint"),
        (replaced("\n7.bmp,0,", "\n7.bmp,1,"), (), "data_fingerprint"),
        (replaced("\n7.bmp,0,p3", "\n7.bmp,0,p4"), (), "data_fingerprint"),
        (replaced("\n7.bmp,0,p3", ""), (), "data_fingerprint"),
        (unchanged, ("--seed", "1"), "seed"),
        (unchanged, ("--size", "33"), "size"),
        (unchanged, ("--epochs", "3"), "recipe"),
        (unchanged, ("--folds", "3"), "folds"),
        (unchanged, ("--no-near-duplicates",), "near_duplicates"),
    ],
    ids=["photograph", "label", "patient", "row", "seed", "size", "epochs", "folds", "duplicates"],
)
def test_a_change_is_refused_by_name(
    begun: Workplace,
    change: Callable[[Path], None],
    more: tuple[str, ...],
    named: str,
    record_property: Callable[[str, object], None],
) -> None:
    begun.reset()
    mark = "rename run/cells/standard_cnn-scratch-r0-f0/.done.json"
    assert begun.start(to=mark, after=True).wait().status == KILLED
    before = {path: path.read_bytes() for path in (begun.root / "run").rglob("*.parquet")}
    assert before
    change(begun.root / "photos")
    ended = begun.start([*COMMAND.words, *more]).wait()
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("melanoscope")]
    assert ended.status == 1
    assert f"({named} = " in line
    assert {path: path.read_bytes() for path in before} == before
    record_property("kills", 1)
    record_property("refused", 1)
