"""A file is whole or not there, whatever ends the writing."""

from __future__ import annotations

from pathlib import Path

import pytest

from melanoscope.atomic import atomic_path, remove_partials


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


def test_what_killed_libraries_leave_is_removed_too(tmp_path: Path) -> None:
    for name in (".a.7.partial", ".tmpUZsuJ9", ".hidden", ".tmp", "kept.tmpUZsuJ9"):
        (tmp_path / name).write_text("")
    remove_partials(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {".hidden", ".tmp", "kept.tmpUZsuJ9"}
