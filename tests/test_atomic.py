"""A file, or a folder, is whole or not there, whatever ends the writing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from melanoscope.atomic import atomic_folder, atomic_path, remove_partials, write_together


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


def test_a_replaced_folder_is_whole_at_any_moment(tmp_path: Path) -> None:
    out = tmp_path / "report"
    out.mkdir()
    (out / "page").write_text("of before")

    def write_half() -> None:
        with atomic_folder(out, replace=True) as folder:
            (folder / "page").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert (out / "page").read_text() == "of before"
    out.rename(tmp_path / ".report.old.partial")  # as a kill between the two renames leaves it
    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert (out / "page").read_text() == "of before"
    with atomic_folder(out, replace=True) as folder:
        (folder / "page").write_text("new")
    assert (out / "page").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_what_lies_behind_a_link_is_left(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").write_text("mine")
    (tmp_path / ".out.partial").symlink_to(elsewhere)
    with atomic_folder(tmp_path / "out"):
        pass
    assert (elsewhere / "mine").read_text() == "mine"


def test_files_that_belong_together_are_of_one_writer(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    names = [f"{n}.txt" for n in range(5)]

    def write(text: bytes) -> None:
        for _ in range(20):
            write_together(tmp_path, dict.fromkeys(names, text))

    threads = [threading.Thread(target=write, args=(text,)) for text in (b"a", b"b", b"c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(tmp_path / name).read_bytes() for name in names}) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"mine.txt", *names}


def test_none_of_several_files_is_renamed_before_all_are_written(tmp_path: Path) -> None:
    write_together(tmp_path, {"a": b"old", "b": b"old"})
    (tmp_path / ".c.7.partial").write_text("half")  # by a kill
    with pytest.raises(TypeError):
        write_together(tmp_path, {"a": b"new", "b": b"new", "c": None})  # type: ignore[dict-item]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "a": b"old",
        "b": b"old",
    }
