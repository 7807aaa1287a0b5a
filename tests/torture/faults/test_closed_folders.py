"""Folders that are read-only, absent or far away, and paths that are long or strange."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.torture.faults.commands import COMMANDS, Prepared
from tests.torture.faults.disks import disk, needs_mounts, remount
from tests.torture.faults.forking import Runner, expect_one_line

pytestmark = pytest.mark.torture
NOBODY = 65534
OUTPUTS = [name for name, command in COMMANDS.items() if command.disk == "out"]


@needs_mounts
@pytest.mark.parametrize("name", COMMANDS)
def test_a_disk_that_is_read_only(
    run: Runner, prepared: Prepared, tmp_path: Path, name: str
) -> None:
    command = COMMANDS[name]
    with disk(tmp_path / "disk", 200_000) as place:
        out = (place if command.disk == "out" else tmp_path) / "out"
        cache = place if command.disk == "cache" else tmp_path / "cache"
        command.prepare(prepared, out)
        page = out / command.page if command.page else None
        before = page.read_bytes() if page else b""
        remount(place, "ro")
        expect_one_line(run(*command.words(prepared, out, cache)), place)
        assert page is None or page.read_bytes() == before


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root becomes another")
@pytest.mark.parametrize("name", OUTPUTS)
def test_a_folder_of_another_user(
    run: Runner, prepared: Prepared, tmp_path: Path, name: str
) -> None:
    place = tmp_path / "theirs"
    place.mkdir(mode=0o755)
    COMMANDS[name].prepare(prepared, place / "out")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    words = COMMANDS[name].words(prepared, place / "out", tmp_path / "cache")
    expect_one_line(run(*words, uid=NOBODY, env={"HOME": "/nonexistent"}))


@pytest.mark.parametrize("name", ["data audit", "predict --table", "report"])
@pytest.mark.parametrize("tmp", ["/nonexistent", "/proc"])
def test_no_temporary_folder_is_needed(
    run: Runner, prepared: Prepared, tmp_path: Path, name: str, tmp: str
) -> None:
    out = tmp_path / "out"
    COMMANDS[name].prepare(prepared, out)
    before = (
        "import os, tempfile\n"
        "def none(*_): raise FileNotFoundError(2, 'No usable temporary directory')\n"
        "tempfile._get_default_tempdir = none"
    )
    words = COMMANDS[name].words(prepared, out, tmp_path / "cache")
    ended = run(*words, env={"TMPDIR": tmp}, before=before)
    assert ended.status == 0, ended.err


def test_an_export_keeps_its_temporary_files_beside_the_bundle(
    run: Runner, prepared: Prepared, tmp_path: Path
) -> None:
    words = COMMANDS["export"].words(prepared, tmp_path / "out", tmp_path / "cache")
    ended = run(*words, env={"TMPDIR": "/nonexistent"}, before=(
        "import tempfile\n"
        "def none(*_): raise FileNotFoundError(2, 'No usable temporary directory')\n"
        "tempfile._get_default_tempdir = none"
    ))  # fmt: skip
    assert ended.status == 0, ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["out"] or {
        path.name for path in tmp_path.iterdir()
    } == {"out", "cache"}


def test_a_user_without_a_home(run: Runner, prepared: Prepared, tmp_path: Path) -> None:
    words = ("data", "summary", "--data", "simulated=3")
    env = {"HOME": None, "MELANOSCOPE_CACHE": None, "XDG_CACHE_HOME": None}
    no_user = "import pwd\ndef none(_): raise KeyError('uid not found')\npwd.getpwuid = none"
    expect_one_line(run(*words, env=env, before=no_user), "--cache")
    assert run(*words, "--cache", tmp_path, env=env, before=no_user).status == 0


@needs_mounts
@pytest.mark.parametrize(
    "name",
    ["Ärzte und Ömer", "病变 照片", "a'b\"c $HOME;%s", "x" * 200, "/".join(["y" * 200] * 15)],
)
def test_strange_and_long_paths_and_a_cache_on_another_disk(
    run: Runner, prepared: Prepared, tmp_path: Path, name: str
) -> None:
    with disk(tmp_path / "other", 200_000) as other:
        command = COMMANDS["benchmark"]
        out, cache = tmp_path / name / "out", other / name
        ended = run(*command.words(prepared, out, cache))
        assert ended.status == 0, ended.err
        assert command.result(out)[1]


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_name_that_no_disk_takes(
    run: Runner, prepared: Prepared, tmp_path: Path, name: str
) -> None:
    command = COMMANDS[name]
    too_long = tmp_path / ("z" * 300)
    ended = run(*command.words(prepared, too_long, tmp_path / "cache"))
    expect_one_line(ended)
    assert os.strerror(errno.ENAMETOOLONG) in ended.line or "none at" in ended.line, ended.line
