"""Tables as people have them, and what is no table."""

from __future__ import annotations

import csv
import gzip

import pytest

from melanoscope.errors import DataError
from melanoscope.inference.batch.failures import FailureCounter
from melanoscope.inference.batch.run import diagnose_table

from .fakes import Fake, many, read, why_not_diagnosed, write

ADDED = ["status", "forced", "concerns", "probability", "prevalence", "high", "low"]
ADDED += [f"evidence_{part}" for part in ("photograph", "age", "sex", "site", "bias")]
ADDED += ["logit", "distance", "error"]


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
        (gzip.compress("photograph,n\r1.jpg,M\u00fcller\r".encode(), mtime=0), ",", ""),
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
    assert line in why_not_diagnosed(Fake(), table, tmp_path / "out.csv")


def test_paths_that_lead_nowhere(tmp_path):
    table = write(tmp_path / "t.csv", "photograph\n1.jpg\n")
    fake = Fake()
    assert "nothing there" in why_not_diagnosed(fake, tmp_path / "no.csv", tmp_path / "out.csv")
    assert "a folder" in why_not_diagnosed(fake, tmp_path, tmp_path / "out.csv")
    assert "no folder" in why_not_diagnosed(fake, table, tmp_path / "no" / "out.csv")
    assert "the table itself; name another" in why_not_diagnosed(fake, table, table)
    other = write(tmp_path / "other.csv", "of somebody")
    assert "one that is there already" in why_not_diagnosed(fake, table, other)
    (tmp_path / "folder").mkdir()
    assert "a folder" in why_not_diagnosed(fake, table, tmp_path / "folder")
    for prevalence in (0.0, 1.0, 5.0, -0.1, float("nan")):
        assert "prevalence" in why_not_diagnosed(
            fake, table, tmp_path / "out.csv", prevalence=prevalence
        )
    assert "batch" in why_not_diagnosed(fake, table, tmp_path / "out.csv", batch_size=0)


def test_a_table_that_changes_meanwhile(tmp_path):
    table = many(tmp_path, 30)

    class Changing(Fake):
        def predict(self, images, patients, **options):
            table.write_text(table.read_text().replace("n1\n", "n2\n"))
            return super().predict(images, patients, **options)

    with pytest.raises(DataError, match="as it was when its rows were counted"):
        diagnose_table(Changing(), table, tmp_path / "out.csv", batch_size=4)
    assert not (tmp_path / "out.csv").exists()
