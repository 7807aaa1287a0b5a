"""A table whose answering was stopped goes on, and no other work is written over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from melanoscope.errors import DataError
from melanoscope.inference.batch.run import diagnose_table
from melanoscope.locks import LockedError

from .fakes import Fake, Killed, many, why_not_diagnosed, write


def test_going_on_after_a_kill(tmp_path):
    table = many(tmp_path, 100)
    whole = diagnose_table(Fake(), table, tmp_path / "whole.csv", batch_size=8)
    with pytest.raises(Killed):
        diagnose_table(Fake(kill_at=63), table, tmp_path / "out.csv", batch_size=8)
    assert not (tmp_path / "out.csv").exists()
    fake = Fake()
    told = []
    summary = diagnose_table(
        fake, table, tmp_path / "out.csv", batch_size=8, on_progress=lambda *news: told.append(news)
    )
    assert summary.kept == 56
    assert told[0] == (56, 100)
    assert min(fake.answered) >= 56
    assert summary == replace(whole, kept=56)
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert len(list(tmp_path.iterdir())) == 3


@settings(
    max_examples=60, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.floats(0, 1), st.sampled_from([b"", b"\0" * 50, b'1.jpg,,"x', b"\xc3", b"\n", b"a,b\n"]))
def test_torn_anywhere(tmp_path, share, rubbish):
    """Whatever a kill, or a power cut, leaves behind the last whole row."""
    table, whole, out = tmp_path / "photos.csv", tmp_path / "whole.csv", tmp_path / "out.csv"
    if not whole.exists():
        diagnose_table(Fake(), many(tmp_path, 40), whole, batch_size=4)
    out.unlink(missing_ok=True)
    partial = tmp_path / ".out.csv.partial"
    partial.unlink(missing_ok=True)
    with pytest.raises(Killed):
        diagnose_table(Fake(kill_at=39), table, out, batch_size=4)
    content = partial.read_bytes()
    partial.write_bytes(content[: round(share * len(content))] + rubbish)
    summary = diagnose_table(Fake(), table, out, batch_size=4)
    assert out.read_bytes() == whole.read_bytes()
    assert summary.kept % 4 == 0
    assert summary.kept >= share * 36 - 8


def test_killed_by_a_signal(tmp_path):
    """The process itself, with no chance to tidy up."""
    table = many(tmp_path, 400)
    code = (
        "import sys, time; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "from tests.inference.batch.fakes import Fake, diagnose_table\n"
        "class Slow(Fake):\n"
        "    def predict(self, *given, **options):\n"
        "        time.sleep(float(sys.argv[4])); return super().predict(*given, **options)\n"
        "diagnose_table(Slow(), Path(sys.argv[2]), Path(sys.argv[3]), batch_size=8)"
    )
    run = [sys.executable, "-B", "-c", code, str(Path(__file__).parents[3]), str(table)]
    partial = tmp_path / ".out.csv.partial"
    with subprocess.Popen([*run, str(tmp_path / "out.csv"), "0.05"]) as process:
        deadline = time.monotonic() + 60
        while not (partial.exists() and partial.stat().st_size > 5_000):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        if os.name == "posix":
            message = refusal_of_a_second(table, tmp_path / "out.csv")
            assert f"process {process.pid}" in message
        process.send_signal(signal.SIGKILL)
    summary = diagnose_table(Fake(), table, tmp_path / "out.csv", batch_size=8)
    assert 0 < summary.kept < 400
    diagnose_table(Fake(), table, tmp_path / "whole.csv", batch_size=8)
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def killed(*_: object, **__: object) -> None:
    raise Killed


def test_killed_after_the_file_has_its_name(tmp_path, monkeypatch):
    """The same call finds its work done; a file that is not what it wrote is never touched."""
    table, out = many(tmp_path, 10), tmp_path / "out.csv"

    def finish_and_be_killed() -> bytes:
        with monkeypatch.context() as patched:
            patched.setattr(Path, "unlink", killed)
            with pytest.raises(Killed):
                diagnose_table(Fake(), table, out, batch_size=4)
        for left in tmp_path.glob(".out.csv.lock*"):  # as any further call would
            left.unlink()
        return out.read_bytes()

    whole = finish_and_be_killed()
    assert diagnose_table(Fake(), table, out, batch_size=4).kept == 10
    assert out.read_bytes() == whole
    assert not list(tmp_path.glob(".out*"))
    out.unlink()
    finish_and_be_killed()
    out.write_bytes(whole + b"somebody's own line\r\n")
    assert "already" in why_not_diagnosed(Fake(), table, out, batch_size=4)


def refusal_of_a_second(table: Path, out: Path) -> str:
    with pytest.raises(LockedError) as caught:
        diagnose_table(Fake(), table, out, batch_size=8)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"bundle": "bundle two"}, "bundle"),
        ({"variant": "int8"}, "variant"),
        ({"prevalence": 0.3}, "prevalence"),
        ({"force": True}, "force"),
        ({"batch_size": 16}, "batch"),
        ({"folder": Path("/elsewhere")}, "folder"),
        ({"table": "another"}, "table"),
    ],
)
def test_the_beginning_of_another_job_is_never_gone_on_with(tmp_path, change, named):
    table = many(tmp_path, 40)
    with pytest.raises(Killed):
        diagnose_table(Fake(kill_at=30), table, tmp_path / "out.csv", batch_size=8)
    options = {"batch_size": 8, **change}
    fake = Fake(options.pop("bundle", "bundle one"), options.pop("variant", "float32"))
    if options.pop("table", None):
        table.write_text(table.read_text() + "99.jpg,,\n")
    line = why_not_diagnosed(fake, table, tmp_path / "out.csv", **options)
    assert f"found another {named};" in line
    assert ".out.csv.partial" in line


def test_a_beginning_without_a_word_of_what_it_is(tmp_path):
    table = many(tmp_path, 10)
    write(tmp_path / ".out.csv.partial", "photograph\n")
    for record in (None, "{}", "[", "[]", "null"):
        if record is not None:
            write(tmp_path / ".out.csv.partial.json", record)
        assert "beginning of this job" in why_not_diagnosed(Fake(), table, tmp_path / "out.csv")
    write(tmp_path / ".out.csv.partial", "")
    assert diagnose_table(Fake(), table, tmp_path / "out.csv").kept == 0


def test_killed_before_the_last_step(tmp_path, monkeypatch):
    """All answered, not yet renamed: nothing is answered again."""
    table = many(tmp_path, 30)
    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(Killed):
        diagnose_table(Fake(), table, tmp_path / "out.csv", batch_size=8)
    monkeypatch.undo()
    left = tmp_path / "..out.csv.partial.json.7.partial"  # killed while it wrote down the job
    left.write_text("{")
    fake = Fake()
    assert diagnose_table(fake, table, tmp_path / "out.csv", batch_size=8).kept == 30
    assert fake.answered == []
    assert not list(tmp_path.glob(".*"))


def test_nothing_is_overwritten_that_came_meanwhile(tmp_path):
    table = many(tmp_path, 20)

    class Meanwhile(Fake):
        def predict(self, *given, **options):
            write(tmp_path / "out.csv", "of somebody")
            return super().predict(*given, **options)

    with pytest.raises(DataError, match="already"):
        diagnose_table(Meanwhile(), table, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "of somebody"
