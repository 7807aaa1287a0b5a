"""A file is whole or not there, whatever ends the writing."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from melanoscope.atomic import atomic_path, refuse_full_disk
from melanoscope.errors import RunError


def test_an_error_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text("old")

    def write_half() -> None:
        with atomic_path(file) as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert file.read_text() == "old"
    with atomic_path(file) as partial:
        partial.write_text("new")
        assert file.read_text() == "old"
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_writer_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "numbers.csv"):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_only_a_full_disk_is_called_one(tmp_path: Path, number: int) -> None:
    with pytest.raises(RunError, match="full disk"), refuse_full_disk(tmp_path):
        raise OSError(number, "no room")
    with pytest.raises(PermissionError), refuse_full_disk(tmp_path):
        raise PermissionError(errno.EACCES, "not yours")
