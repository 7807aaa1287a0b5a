"""A table in, a table out: every row, in order, in memory that does not grow."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest

from melanoscope.inference.batch.run import diagnose_table

from .fakes import Fake, many, read, say, write

ADDED = ["status", "forced", "concerns", "probability", "prevalence", "high", "low"]
ADDED += [f"evidence_{part}" for part in ("photograph", "age", "sex", "site", "bias")]
ADDED += ["logit", "distance", "error"]


def test_one_row_out_for_each_row_in(tmp_path):
    table = many(tmp_path, 100)
    told = []
    summary = diagnose_table(
        Fake(),
        table,
        tmp_path / "out.csv",
        batch_size=8,
        on_progress=lambda *news: told.append(news),
    )
    rows, given_rows = read(tmp_path / "out.csv"), read(table)
    assert list(rows[0]) == ["photograph", "age", "note", *ADDED]
    assert [{key: row[key] for key in ("photograph", "age", "note")} for row in rows] == given_rows
    by_status = {kind: sum(row["status"] == kind for row in rows) for kind in
                 ("accepted", "doubtful", "refused", "failed")}  # fmt: skip
    assert summary.counts == {"rows": 100, **by_status, "kept": 0}
    assert sum(one.rows for one in summary.failures) == by_status["failed"]
    assert min(by_status.values()) > 3
    assert told[0] == (0, 100)
    assert told[-1] == (100, 100)
    assert [done for done, _ in told] == [*range(0, 100, 8), 100]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "photos.csv"]


def test_what_a_row_says(tmp_path):
    table = write(
        tmp_path / "t.csv",
        "photograph,age,sex,site\n3.jpg,50,Female,torso\n10.jpg,,,\nx.jpg,,,\n4.jpg,150,,\n"
        "4.jpg,old,,\n4.jpg,,femal,\n4.jpg,,,tors\nNA,,,back\n15.jpg,,,\n",
    )
    diagnose_table(Fake(), table, tmp_path / "out.csv", prevalence=0.1)
    rows = read(tmp_path / "out.csv")
    first = rows[0]
    assert [row["status"] for row in rows] == [
        "accepted", "refused", *["failed"] * 6, "doubtful"]  # fmt: skip
    assert float(first["logit"]) == pytest.approx((3 - 8) / 3 + 0.5, abs=1e-5)
    parts = [
        float(first[f"evidence_{part}"]) for part in ("photograph", "age", "sex", "site", "bias")
    ]
    assert sum(parts) == pytest.approx(float(first["logit"]), abs=1e-7)
    assert (first["high"], first["low"], first["prevalence"]) == ("negative", "negative", "0.1")
    assert (first["error"], first["concerns"]) == ("", "")
    assert rows[1]["concerns"] == "blurred: sharpness 10"
    assert {rows[1][name] for name in ("probability", "high", "low", "logit", "error")} == {""}
    assert rows[1]["distance"] == "1.42857143"
    errors = [row["error"] for row in rows[2:8]]
    for error, wanted in zip(errors, ("whole photograph; found =x not a number; replace",
                                      "age from 0 to 120 years; found '150'", "'old'",
                                      "nearest: female", "nearest: torso",
                                      "the name of a photograph"), strict=True):  # fmt: skip
        assert wanted in error
        assert error.startswith("expected ")
        assert "\n" not in error
    for row in rows[2:8]:
        assert {row[name] for name in ADDED if name not in ("status", "error")} == {""}


def test_forced(tmp_path):
    table = write(tmp_path / "t.csv", "photograph\n10.jpg\n")
    diagnose_table(Fake(), table, tmp_path / "out.csv", force=True)
    (row,) = read(tmp_path / "out.csv")
    assert (row["status"], row["forced"]) == ("doubtful", "true")
    assert row["concerns"] == "blurred: sharpness 10"
    assert row["probability"]


def test_order_is_kept_when_the_first_photographs_are_slow(tmp_path):
    table = write(tmp_path / "t.csv", "photograph\n" + "".join(f"{n}.jpg\n" for n in range(40)))
    fake = Fake(slow="0")
    diagnose_table(fake, table, tmp_path / "out.csv", batch_size=4, workers=8)
    assert fake.answered == list(range(40))
    assert [row["photograph"] for row in read(tmp_path / "out.csv")] == [
        f"{n}.jpg" for n in range(40)
    ]


def test_photographs_are_decoded_while_others_are_answered(tmp_path):
    """Two batches ahead, and never further, or memory would fill with photographs."""
    table = write(tmp_path / "t.csv", "photograph\n" + "".join(f"{n}.jpg\n" for n in range(60)))
    seen: list[Path] = []
    ahead: list[int] = []

    class Watching(Fake):
        def decode(self, source):
            seen.append(source)
            return super().decode(source)

        def predict(self, images, patients, **options):
            time.sleep(0.02)
            ahead.append(len(seen) - len(self.answered) - len(images))
            return super().predict(images, patients, **options)

    diagnose_table(Watching(), table, tmp_path / "out.csv", batch_size=5, workers=2)
    assert 5 < max(ahead) <= 10


def test_what_is_answered_is_on_disk_at_once(tmp_path):
    table, partial = many(tmp_path, 60), tmp_path / ".out.csv.partial"
    found = []
    diagnose_table(
        Fake(),
        table,
        tmp_path / "out.csv",
        batch_size=8,
        on_progress=lambda done, _total: found.append((done, len(read(partial)))),
    )
    assert found == [(done, done) for done in (*range(0, 60, 8), 60)]


def test_the_folder_of_the_photographs(tmp_path):
    asked = []

    class Asking(Fake):
        def decode(self, source):
            asked.append(source)
            return super().decode(source)

    table = write(tmp_path / "t.csv", f"photograph\n1.jpg\nsub/2.jpg\n{tmp_path / 'x' / '3.jpg'}\n")
    diagnose_table(Asking(), table, tmp_path / "a.csv", workers=1)
    diagnose_table(Asking(), table, tmp_path / "b.csv", workers=1, folder=tmp_path / "there")
    assert asked == [
        tmp_path / "1.jpg", tmp_path / "sub/2.jpg", tmp_path / "x/3.jpg",
        tmp_path / "there/1.jpg", tmp_path / "there/sub/2.jpg", tmp_path / "x/3.jpg"]  # fmt: skip


def test_memory_does_not_grow_with_the_table(tmp_path):
    """20 MB of table, in which names come again: Python keeps a list of names of files."""

    def peak(count: int) -> int:
        note = "x" * 1_000
        lines = (f"{number % 500}.jpg,{note}\n" for number in range(count))
        table = write(tmp_path / f"{count}.csv", "photograph,note\n" + "".join(lines))
        tracemalloc.start()
        try:
            diagnose_table(Forgetful(), table, tmp_path / f"{count}.out.csv", workers=2)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(200)  # modules
    short, long = peak(2_000), peak(20_000)
    assert long < short + 1_000_000, (short, long)


class Forgetful(Fake):
    """Keeps nothing of what it answers."""

    def predict(self, images, patients, *, prevalence, force):
        return [
            say(one.width, who, 0.0, prevalence, force)
            for one, who in zip(images, patients, strict=True)
        ]
