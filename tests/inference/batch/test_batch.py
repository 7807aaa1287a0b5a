"""A table in, a table out: every row, in order, through a kill, whatever stands in it."""

from __future__ import annotations

import csv
import gzip
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from melanoscope.errors import DataError
from melanoscope.imaging.decode import DecodedImage
from melanoscope.imaging.open_image import UnreadableImageError
from melanoscope.inference.batch.failures import FailureCounter
from melanoscope.inference.batch.run import diagnose_table
from melanoscope.inference.quality.issues import QualityIssue
from melanoscope.inference.quality.measures import QualityMeasures
from melanoscope.inference.result import Decision, Diagnosis, EvidenceSum
from melanoscope.patient import PatientInfo
from melanoscope.target import MELANOMA

ADDED = ["status", "concerns", "probability", "prevalence", "high", "low"]
ADDED += [f"evidence_{part}" for part in ("photograph", "age", "sex", "site", "bias")]
ADDED += ["logit", "distance", "error"]


class Killed(BaseException):
    """Comes from outside, as a signal does."""


@dataclass
class Fake:
    """Answers by a photograph's name, which is a number, or says what is wrong with it."""

    fingerprint: str = "bundle one"
    variant: str = "float32"
    kill_at: int | None = None
    slow: str = ""
    answered: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    @property
    def bundle(self) -> SimpleNamespace:
        manifest = SimpleNamespace(
            thresholds=[SimpleNamespace(key="high"), SimpleNamespace(key="low")]
        )
        return SimpleNamespace(fingerprint=self.fingerprint, image_size=4, manifest=manifest)

    def decode(self, source: Path) -> DecodedImage:
        name = Path(source).stem
        if name == self.slow:
            time.sleep(0.3)
        if not name.isdigit():
            raise UnreadableImageError(Path(source), f"={name}\nnot a number")
        return DecodedImage(np.zeros((4, 4, 3), np.uint8), int(name), 1)

    def predict(
        self,
        images: Sequence[DecodedImage],
        patients: Sequence[PatientInfo],
        *,
        prevalence: float | None,
        force: bool,
    ) -> list[Diagnosis]:
        numbers = [one.width for one in images]
        if self.kill_at in numbers:
            raise Killed
        self.answered += numbers
        self.sizes.append(len(numbers))
        # As real networks: the last digits depend on what is answered together.
        return [
            say(number, who, len(numbers) * 1e-7, prevalence, force)
            for number, who in zip(numbers, patients, strict=True)
        ]


QUALITY = object.__new__(QualityMeasures)


def say(
    number: int, who: PatientInfo, noise: float, prevalence: float | None, force: bool
) -> Diagnosis:
    """Refuse each tenth, doubt each fifth."""
    logit = (number % 17 - 8) / 3 + (who.age or 0) / 100 + noise
    refused = number % 10 == 0
    answered = force or not refused
    concerns = ()
    if refused or number % 5 == 0:
        severity = "refused" if refused else "doubtful"
        concerns = (QualityIssue("blurred", severity, f"sharpness {number}", "hold still"),)
    decisions = tuple(
        Decision(key, key, "", 0.5, logit > cut, None, None)
        for key, cut in (("high", 1), ("low", -1))
    )
    evidence = EvidenceSum(np.zeros((1, 1)), logit - 0.5, 0.1, 0.2, 0.3, -0.1)
    return Diagnosis(
        status="refused" if not answered else "doubtful" if concerns else "accepted",
        concerns=concerns,
        probability=1 / (1 + np.exp(-logit)) if answered else None,
        prevalence=prevalence or 0.02,
        decisions=decisions if answered else (),
        standing=None,
        evidence=evidence if answered else None,
        person=who,
        quality=QUALITY,
        distance=number / 7,
        target=MELANOMA,
        network="fake",
        simulated=True,
        forced=refused and force,
    )


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def many(folder: Path, count: int) -> Path:
    """Some photographs are unreadable, some ages impossible, some fields quoted over two lines."""
    lines = ["photograph,age,note\n"]
    for number in range(count):
        name = "torn" if number % 13 == 7 else str(number)
        age = "150" if number % 11 == 5 else "" if number % 3 else str(number % 90)
        note = '"two\nlines, ""quoted"""' if number % 4 == 0 else f"n{number}"
        lines.append(f"{name}.jpg,{age},{note}\n")
    return write(folder / "photos.csv", "".join(lines))


def read(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=delimiter, strict=True))


def refusal(predictor, table: Path, out: Path, **options) -> str:
    """Refused with one line, and nothing written."""
    before = {path: path.read_bytes() for path in table.parent.rglob("*") if path.is_file()}
    with pytest.raises(DataError) as caught:
        diagnose_table(predictor, table, out, **options)
    after = {path: path.read_bytes() for path in table.parent.rglob("*") if path.is_file()}
    assert after == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- what comes out


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
    assert (row["status"], row["concerns"]) == ("doubtful", "blurred: sharpness 10")
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


# --- what comes in


@pytest.mark.parametrize("name", ["photograph", "path", "image", "file", " Photograph ", "PATH"])
def test_names_of_the_column(tmp_path, name):
    table = write(tmp_path / "t.csv", f"id,{name}\n7,1.jpg\n")
    assert diagnose_table(Fake(), table, tmp_path / "out.csv").accepted == 1
    assert list(read(tmp_path / "out.csv")[0])[:2] == ["id", name.strip()]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_dialects(tmp_path, delimiter, end, mark, quote):
    rows = [["photograph", "age", "Notiz"], ["1.jpg", "30", "ä ö"], ["2.jpg", "", 'x\r\ny "z"']]
    lines = [
        delimiter.join(
            f"{quote}{one}{quote}" if '"' not in one else '"x\r\ny ""z"""' for one in row
        )
        for row in rows
    ]
    table = write(tmp_path / "t.csv", mark + end.join(lines))
    assert diagnose_table(Fake(), table, tmp_path / "out.csv").accepted == 2
    written = read(tmp_path / "out.csv", delimiter)
    assert [[row[name] for name in rows[0]] for row in written] == rows[1:]


@pytest.mark.parametrize(
    ("content", "delimiter", "note"),
    [
        ("photograph;n\n1.jpg;M\u00fcller\n".encode("cp1252"), ";", "read as Windows-1252"),
        ("photograph\tn\n1.jpg\tM\u00fcller\n".encode("utf-16"), "\t", ""),
        ("sep=;\nphotograph;n\n1.jpg;M\u00fcller\n", ";", ""),
        (gzip.compress("photograph,n\r1.jpg,M\u00fcller\r".encode()), ",", ""),
        ("photograph,n\n1.jpg,M\u00fcller", ",", "has no line break"),
    ],
)
def test_what_other_programs_save(tmp_path, content, delimiter, note):
    """The answers are UTF-8 with the table's delimiter."""
    summary = diagnose_table(Fake(), write(tmp_path / "t.csv", content), tmp_path / "out.csv")
    (row,) = read(tmp_path / "out.csv", delimiter)
    assert (row["n"], row["status"]) == ("M\u00fcller", "accepted")
    assert note in " ".join(summary.notes)
    assert bool(summary.notes) == bool(note)


def test_a_workbook(tmp_path):
    from ...tables.workbooks import write_workbook

    rows = [["photograph", "age", "site"], ["1.jpg", 45, "back"], ["2.jpg", 45.5, None]]
    write_workbook(tmp_path / "t.xlsx", {"One": rows})
    assert diagnose_table(Fake(), tmp_path / "t.xlsx", tmp_path / "out.csv").accepted == 2
    assert [row["age"] for row in read(tmp_path / "out.csv")] == ["45", "45.5"]


def test_a_patient_that_nothing_reads_is_named(tmp_path):
    table = write(tmp_path / "t.csv", "photograph,Gender,years,body_part,n\n1.jpg,F,45,x,y\n")
    assert diagnose_table(Fake(), table, tmp_path / "out.csv").notes == (
        "column 'Gender' is read as sex",
        "column 'years' is not read; the nearest known is 'age'",
        "column 'body_part' is not read; the nearest known is 'site'",
    )


def test_why_rows_failed(tmp_path):
    rows = ["1.jpg,elbo"] * 3 + ["1.jpg,tail"] + ["gone.jpg,back"] * 2 + ["1.jpg,back"]
    table = write(tmp_path / "t.csv", "photograph,site\n" + "\n".join(rows) + "\n")
    summary = diagnose_table(Fake(), table, tmp_path / "out.csv")
    (first, second) = summary.failures
    assert (first.rows, second.rows, summary.failed) == (4, 2, 6)
    assert first.reason == "expected a known site; found 'elbo' (3), 'tail' (1)"
    assert "expected a whole photograph; found =gone not a number (2); " in second.reason


def test_reasons_are_counted_in_flat_memory():
    counter = FailureCounter()
    for number in range(5_000):
        counter.add(f"expected an age; found '{number}'; give years")
    (reason,) = counter.reasons()
    assert reason.rows == 5_000
    assert reason.reason.startswith("expected an age; found others (4000), '0' (1), ")


def test_names_that_windows_wrote(tmp_path):
    asked = []

    class Asking(Fake):
        def decode(self, source):
            asked.append(source)
            return super().decode(source)

    table = write(tmp_path / "t.csv", "photograph\nin\\1.jpg\n 2.jpg \n")
    diagnose_table(Asking(), table, tmp_path / "out.csv", workers=1)
    assert asked == [tmp_path / "in" / "1.jpg", tmp_path / "2.jpg"]


def test_fields_of_others_pass_unchanged_but_for_formulas(tmp_path):
    """The table's owner may have it from a stranger, and opens ours in a spreadsheet."""
    strange = ["=1+1", "+2", "-3", "@x", " padded ", "a\nb", "0010", "\u00e9", "", "NaN", "\r"]
    with (tmp_path / "t.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["photograph", "=note"])
        writer.writerows(
            [f"{n}.jpg" if n % 2 else "=bad()", text] for n, text in enumerate(strange)
        )
    diagnose_table(Fake(), tmp_path / "t.csv", tmp_path / "out.csv")
    rows = read(tmp_path / "out.csv")
    formulas = {"=1+1", "@x", "\r"}
    assert [row["'=note"] for row in rows] == [f"'{x}" if x in formulas else x for x in strange]
    assert rows[0]["photograph"] == "'=bad()"
    for row in rows:
        assert not row["error"].startswith(("=", "+", "-", "@"))
        assert not row["concerns"].startswith(("=", "+", "-", "@"))


def test_a_table_that_has_our_names_already(tmp_path):
    """As the answers of another bundle have, given in again."""
    table = many(tmp_path, 6)
    diagnose_table(Fake(), table, tmp_path / "once.csv")
    diagnose_table(Fake(), tmp_path / "once.csv", tmp_path / "twice.csv")
    rows = read(tmp_path / "twice.csv")
    assert list(rows[0]) == [
        "photograph",
        "age",
        "note",
        *ADDED,
        *(f"melanoscope_{n}" for n in ADDED),
    ]
    assert all(row["logit"] == row["melanoscope_logit"] for row in rows)


def test_a_row_of_another_length_is_an_error_of_that_row(tmp_path):
    table = write(
        tmp_path / "t.csv", "photograph,age,sex\n1.jpg,3,female\n2.jpg\n\n3.jpg,1,male,x\n4.jpg,,\n"
    )
    summary = diagnose_table(Fake(), table, tmp_path / "out.csv")
    rows = read(tmp_path / "out.csv")
    assert (summary.rows, summary.failed) == (4, 2)
    assert [row["photograph"] for row in rows] == ["1.jpg", "2.jpg", "3.jpg", "4.jpg"]
    short = (
        "expected 3 cells, as in the header, in line 3 of 't.csv'; found 1: it ends in column "
        "'photograph' with '2.jpg', before 'age'; complete the row, or fetch the file again if it "
        "is cut"
    )
    long = (
        "expected 3 cells, as in the header, in line 5 of 't.csv'; found 4: 'x' has no column; "
        "put a cell that holds a ',' in quotes"
    )
    assert [row["error"] for row in rows] == ["", short, long, ""]
    # Said once for both kinds, however many lines there are.
    assert [one.rows for one in summary.failures] == [2]
    assert summary.failures[0].reason.startswith("expected 3 cells, as in the header; found 1: it")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("", "an empty file"),
        ("\n\n", "an empty file"),
        (",\n,,\n", "no cell filled"),
        ("\ufeff", "an empty file"),
        ("photograph\n", "a header without rows"),
        ("photos,age\n1.jpg,3\n", "none so named (nearest: photos)"),
        ('"foto";"alter"\n"1.jpg";"3"\n', "known: foto, alter"),
        ("photograph,Photograph\n1,2\n", "expected one column 'photograph'"),
        ("photograph,age,age\n1,2,3\n", "expected one column 'age'"),
        ('photograph,n\n1.jpg,"never closed\n2.jpg,x\n', "line 2, column 2 'n': '\"never closed'"),
        ('photograph,n\n1.jpg,"x"y\n2.jpg,x\n', "line 2, column 2 'n': '\"x\"y'"),
        ("photograph\n" + "x" * 200_000 + "\n", "more than 131,072 characters in line 2"),
    ],
)
def test_what_is_no_table(tmp_path, content, line):
    table = write(tmp_path / "t.csv", content)
    assert line in refusal(Fake(), table, tmp_path / "out.csv")


def test_paths_that_lead_nowhere(tmp_path):
    table = write(tmp_path / "t.csv", "photograph\n1.jpg\n")
    fake = Fake()
    assert "nothing there" in refusal(fake, tmp_path / "no.csv", tmp_path / "out.csv")
    assert "a folder" in refusal(fake, tmp_path, tmp_path / "out.csv")
    assert "no folder" in refusal(fake, table, tmp_path / "no" / "out.csv")
    assert "the table itself; name another" in refusal(fake, table, table)
    other = write(tmp_path / "other.csv", "of somebody")
    assert "one that is there already" in refusal(fake, table, other)
    (tmp_path / "folder").mkdir()
    assert "a folder" in refusal(fake, table, tmp_path / "folder")
    for prevalence in (0.0, 1.0, 5.0, -0.1, float("nan")):
        assert "prevalence" in refusal(fake, table, tmp_path / "out.csv", prevalence=prevalence)
    assert "batch" in refusal(fake, table, tmp_path / "out.csv", batch_size=0)


def test_a_table_that_changes_meanwhile(tmp_path):
    table = many(tmp_path, 30)

    class Changing(Fake):
        def predict(self, images, patients, **options):
            table.write_text(table.read_text().replace("n1\n", "n2\n"))
            return super().predict(images, patients, **options)

    with pytest.raises(DataError, match="as it was when its rows were counted"):
        diagnose_table(Changing(), table, tmp_path / "out.csv", batch_size=4)
    assert not (tmp_path / "out.csv").exists()


# --- going on


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
        "from test_batch import Fake, diagnose_table\n"
        "class Slow(Fake):\n"
        "    def predict(self, *given, **options):\n"
        "        time.sleep(float(sys.argv[4])); return super().predict(*given, **options)\n"
        "diagnose_table(Slow(), Path(sys.argv[2]), Path(sys.argv[3]), batch_size=8)"
    )
    run = [sys.executable, "-B", "-c", code, str(Path(__file__).parent), str(table)]
    partial = tmp_path / ".out.csv.partial"
    with subprocess.Popen([*run, str(tmp_path / "out.csv"), "0.05"]) as process:
        deadline = time.monotonic() + 60
        while not (partial.exists() and partial.stat().st_size > 5_000):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        if os.name == "posix":
            message = refusal_of_a_second(table, tmp_path / "out.csv")
            assert "another process" in message
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
        return out.read_bytes()

    whole = finish_and_be_killed()
    assert diagnose_table(Fake(), table, out, batch_size=4).kept == 10
    assert out.read_bytes() == whole
    assert not list(tmp_path.glob(".out*"))
    out.unlink()
    finish_and_be_killed()
    out.write_bytes(whole + b"somebody's own line\r\n")
    assert "already" in refusal(Fake(), table, out, batch_size=4)


def refusal_of_a_second(table: Path, out: Path) -> str:
    with pytest.raises(DataError) as caught:
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
    line = refusal(fake, table, tmp_path / "out.csv", **options)
    assert f"found another {named};" in line
    assert ".out.csv.partial" in line


def test_a_beginning_without_a_word_of_what_it_is(tmp_path):
    table = many(tmp_path, 10)
    write(tmp_path / ".out.csv.partial", "photograph\n")
    for record in (None, "{}", "[", "[]", "null"):
        if record is not None:
            write(tmp_path / ".out.csv.partial.json", record)
        assert "beginning of this job" in refusal(Fake(), table, tmp_path / "out.csv")
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


# --- any length


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
