"""One small table as all kinds of programs save it, and what only bears a table's name."""

from __future__ import annotations

import gzip
import io
import sys
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from melanoscope.errors import DataError
from melanoscope.tables.table_file import open_table

from .workbooks import write_workbook

KNOWN = ("path", "target", "age")
ROWS = [["path", "target", "age"], ["a b.jpg", "1", "45"], ["Gr\u00fcn.jpg", "0", ""]]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def text(delimiter: str = ",", end: str = "\n", rows: list[list[str]] | None = None) -> str:
    return "".join(delimiter.join(row) + end for row in rows or ROWS)


def refusal(path: Path, known=KNOWN) -> str:
    """Say in one line why a table is refused, when it is opened or read."""
    with pytest.raises(DataError) as caught:
        list(open_table(path, known).rows())
    assert "\n" not in str(caught.value)
    assert str(path.name) in str(caught.value)
    return f"{caught.value.expected}: {caught.value.found}; {caught.value.mend}"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("known", [(), KNOWN])
def test_texts(tmp_path, delimiter, end, encoding, packed, known):
    content = text(delimiter, end).encode(encoding)
    table = open_table(write(tmp_path / "t", gzip.compress(content) if packed else content), known)
    assert table.columns == ("path", "target", "age")
    assert list(table.rows()) == [(2, ROWS[1]), (3, ROWS[2])]
    assert table.delimiter == delimiter
    legacy = ("'t' is not in UTF-8; it is read as Windows-1252",)
    assert table.notes == (legacy if encoding == "cp1252" else ())


def test_latin_1_where_windows_has_no_letter(tmp_path):
    table = open_table(write(tmp_path / "t", b"path,n\na.jpg,\xfc\x81\n"))
    assert table.notes == ("'t' is not in UTF-8; it is read as Latin-1",)
    assert next(table.rows()) == (2, ["a.jpg", "\u00fc\x81"])


def test_an_encoding_is_found_however_late_its_first_letter_stands(tmp_path):
    rows = "x.jpg,1\n" * 300_000
    table = open_table(write(tmp_path / "t", b"path,n\n" + rows.encode() + b"\xe9.jpg,2\n"))
    assert table.notes
    assert list(table.rows(300_000)) == [(300_002, ["\u00e9.jpg", "2"])]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_two_encodings_in_one_file(tmp_path, end):
    good = f"path,n{end}\u00e9.jpg,1{end}" * 3
    said = refusal(write(tmp_path / "t", good.encode() + b"\xe9.jpg,2"))
    assert "UTF-8 up to line 7, and there byte 0xe9" in said
    said = refusal(write(tmp_path / "t", text().encode("utf-16")[:-1]))
    assert "UTF-16 up to line" in said


@pytest.mark.parametrize("said", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;"])
def test_a_line_that_names_the_delimiter(tmp_path, said):
    table = open_table(write(tmp_path / "t", said + "\r\npath;n\r\na,b,c;1\r\n"))
    assert (table.columns, table.delimiter) == (("path", "n"), ";")
    assert list(table.rows()) == [(3, ["a,b,c", "1"])]


def test_a_line_that_names_tabs(tmp_path):
    assert open_table(write(tmp_path / "t", "sep=\\t\npath\tn\na\t1\n")).columns == ("path", "n")
    assert open_table(write(tmp_path / "t", "sep=\t\npath\tn\na\t1\n")).columns == ("path", "n")


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("path;age\na.jpg;45,5\nb.jpg;50,0\n", ";"),
        ("path;note\na.jpg;one, two\nb.jpg;three, four\n", ";"),
        ('"path";"note, or none"\n"a;b.jpg";"one"\n', ";"),
        ("path\tnote\na.jpg\tone; two, three\n", "\t"),
        ("path|note\na.jpg|one; two\n", "|"),
        ("path,note\na.jpg,one; two; three\nb.jpg,x\n", ","),
        ("path,target,note\na.jpg,1,flat; brown\n", ","),
        ("path\na.jpg\n", ","),
    ],
)
@pytest.mark.parametrize("known", [(), KNOWN])
def test_delimiters_where_cells_hold_others(tmp_path, content, delimiter, known):
    table = open_table(write(tmp_path / "t", content), known)
    assert {len(cells) for _, cells in table.rows()} == {len(table.columns)}
    assert table.delimiter == delimiter or len(table.columns) == 1


def test_cells_stay_as_they_are_and_names_are_trimmed(tmp_path):
    table = open_table(write(tmp_path / "t", " PATH ,\ttarget\n a.jpg ,1 \n"), KNOWN)
    assert table.columns == ("PATH", "target")
    assert next(table.rows()) == (2, [" a.jpg ", "1 "])
    assert [table.find(name) for name in ("path", " Target", ("x", "Path"), "x")] == [0, 1, 0, None]


def test_names_with_marks_that_nobody_sees(tmp_path):
    table = open_table(write(tmp_path / "t", "\ufeff\ufeffpath,\xa0target\u200b\na.jpg,1\n"))
    assert table.columns == ("path", "target")


def test_quotes_behind_blanks(tmp_path):
    table = open_table(write(tmp_path / "t", '"path", "note"\n"a.jpg", "one, two"\n'))
    assert table.columns == ("path", "note")
    assert next(table.rows()) == (2, ["a.jpg", "one, two"])


def test_quotes_within_a_cell_are_no_sign_of_blanks_before_quotes(tmp_path):
    """A quoted cell may quote somebody; blanks that other cells begin with stay theirs."""
    content = 'path,note\n b.jpg,"nevus, ""typical"""\n'
    table = open_table(write(tmp_path / "t.csv", content))
    assert list(table.rows()) == [(2, [" b.jpg", 'nevus, "typical"'])]


def test_lines_are_counted_through_quoted_line_breaks(tmp_path):
    content = 'path,note\na.jpg,"one\n\ntwo, ""three"""\n\nb.jpg,x\n,\n  , \nc.jpg,y\n'
    rows = list(open_table(write(tmp_path / "t", content)).rows())
    assert rows == [
        (2, ["a.jpg", 'one\n\ntwo, "three"']),
        (6, ["b.jpg", "x"]),
        (9, ["c.jpg", "y"]),
    ]


def test_blank_columns_and_lines_at_the_end(tmp_path):
    content = "path,target,,\na.jpg,1,,\nb.jpg,0\nc.jpg,1,,,,\n,,,\n,\n\n"
    table = open_table(write(tmp_path / "t", content))
    assert table.columns == ("path", "target")
    assert [cells for _, cells in table.rows()] == [["a.jpg", "1"], ["b.jpg", "0"], ["c.jpg", "1"]]


def test_a_column_of_row_numbers_without_a_name(tmp_path):
    table = open_table(write(tmp_path / "t", '"","path","target"\n"1","a.jpg",1\n'))
    assert table.columns == ("", "path", "target")
    assert (table.find("path"), table.find("")) == (1, None)


def test_rows_from_a_place_on(tmp_path):
    table = open_table(write(tmp_path / "t", "path\n" + "".join(f"{n}.jpg\n" for n in range(9))))
    assert [line for line, _ in table.rows(6)] == [8, 9, 10]


def test_a_last_line_without_a_break_is_said(tmp_path):
    (note,) = open_table(write(tmp_path / "t", "path,target\na.jpg,1")).notes
    assert "no line break" in note


# --- what is refused


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("path,target\na,1\nb\n", "line 3 of 't.csv': 1: it ends in column 'path' with 'b'"),
        ("path,target\na,1\nb,1,brown\n", "in line 3 of 't.csv': 3: 'brown' has no column"),
        ("path,target,\na,1,x\n", "'x' has no column"),
        ('path,note\na,x\nb,"5 mm\nc,y\n', "line 3, column 2 'note': '\"5 mm'"),
        ('path,note\na,x\nb,"5" mm\nc,y\n', "line 3, column 2 'note': '\"5\" mm'"),
        ('path,note\n"a,x\nb,z\n', "line 2, column 1 'path': '\"a,x'"),
        ('path,note\na,"x\n' + "b,y\n" * 50_000, "line 2, column 2 'note': '\"x'"),
        # Two stray quotes look like a pair that holds whole rows.
        ('path,t,note\na,1,"5 mm\nb,1,x\nc,0,7 mm"\nd,0,x\n', "that goes on over 2 rows to"),
        ('path,t,note\na,1,"5 mm\nb,1,7 mm"\nd,0,x\n', "to line 3"),
        ("My study,,\npath,target,age\na,1,3\n", "columns in line 2; remove what stands above"),
        ("path,Target,n, target \na,1,2,3\n", "one column 'Target' in"),
        ("path,Target,n, target \na,1,2,3\n", "two, columns 2 and 4"),
        (",,\n,,\n", "no cell filled"),
        ("path,target\n", "a header without rows"),
        ("path,target\n,\n", "a header without rows"),
        ("path,target\na,1\n" + "\0" * 9, "NUL bytes in line 3"),
        ("path,target\na\0,1\n", "NUL bytes in line 2"),
        ("path,n\na," + "x" * 200_000 + "\n", "more than 131,072 characters in line 2; shorten"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_torn_tables(tmp_path, content, said, encoding):
    assert said in refusal(write(tmp_path / "t.csv", content.encode(encoding)))


def test_a_note_of_several_lines_is_no_torn_quote(tmp_path):
    content = 'path,t,note\na,1,"red, raised\nitches, bleeds"\nb,0,"1\n2"\n'
    assert len(list(open_table(write(tmp_path / "t", content)).rows())) == 2


def test_rows_of_other_lengths_on_request(tmp_path):
    table = open_table(write(tmp_path / "t", "path,target\na\nb,1,x\nc,0\n"))
    rows = list(table.rows(strict=False))
    assert rows == [(2, ["a"]), (3, ["b", "1", "x"]), (4, ["c", "0"])]
    assert [table.fault(*row) is None for row in rows] == [False, False, True]


def _zip(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, "path,target\n")
    return file.getvalue()


def _tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("table.csv"))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (b"\xef\xbb\xbf \r\n", "an empty file"),
        (b"\0" * 5000, "zeros only"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git-lfs pointer"),
        (b"/annex/objects/MD5E-s1--0.csv\n", "git-annex pointer"),
        (b"\n<!DOCTYPE html>\n<html>", "a web page (HTML)"),
        (b"\xef\xbb\xbf<HTML><body>", "a web page (HTML)"),
        (b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>', "an XML document"),
        (b'{"error": "not found"}', "a JSON document"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"PAR1\x15\x04\x15", "a Parquet table"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG picture"),
        (b"\0\x05\x16\x07\0\x02\0\0Mac OS X", "macOS's notes on another file"),
        (bytes(range(1, 256)) * 20, "a control character, byte 0x01"),
        (b"BZh91AY&SY", "a bzip2 file"),
        (_zip("table.csv"), "a zip archive of 'table.csv'"),
        (_zip("table.csv")[:40], "a zip archive that is cut off"),
        (_tar(), "a tar archive"),
        (gzip.compress(_tar()), "a tar archive in a .gz"),
        (gzip.compress(b""), "an empty file in a .gz"),
        (gzip.compress(_zip("a")), "a zip archive in a .gz"),
        (gzip.compress(text().encode() * 50)[:-20], "cut off"),
        (gzip.compress(text().encode())[:20], "cut off"),
        (_zip("xl/worksheets/sheet1.xml"), "a whole workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a whole workbook"),
    ],
)
def test_what_only_bears_a_tables_name(tmp_path, content, said):
    assert said in refusal(write(tmp_path / "t.csv", content))


def test_damaged_gzip(tmp_path):
    packed = bytearray(gzip.compress(text().encode() * 9))
    packed[20] ^= 0xFF
    refusal(write(tmp_path / "t.csv.gz", bytes(packed)))


def test_places_without_a_file(tmp_path):
    assert "nothing there" in refusal(tmp_path / "gone.csv")
    assert "a folder" in refusal(tmp_path)
    (tmp_path / "link.csv").symlink_to(tmp_path / "gone.csv")
    assert "a link that leads nowhere" in refusal(tmp_path / "link.csv")


@pytest.mark.parametrize(
    "above", ["Study of 2021\n", "Study,,\n\n", "# made on 2024-01-01, by age\n", "path to it\n"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_lines_above_the_header(tmp_path, above, delimiter):
    path = write(tmp_path / "t.csv", above.replace(",", delimiter) + text(delimiter))
    said = refusal(path)
    assert f"names of columns in line {1 + above.count(chr(10))}; remove" in said


def test_values_that_are_names_of_columns_make_no_header(tmp_path):
    path = write(tmp_path / "t.csv", "PATH,note\na,path and age\npath,target\n")
    assert len(list(open_table(path, KNOWN).rows())) == 2


def test_a_column_may_bear_the_name_of_a_format(tmp_path):
    assert open_table(write(tmp_path / "t", "PAR1,BZh9,rar!\n1,2,3\n")).columns[0] == "PAR1"


# --- workbooks


def test_a_workbook(tmp_path):
    rows = [
        ["path", "target", "age", "id"],
        ["a.jpg", True, 45, 1234567],
        [],
        ["b.jpg", 0, 45.5, "007"],
    ]
    table = open_table(write_workbook(tmp_path / "t.xlsx", {"One": rows}))
    assert list(table.rows()) == [
        (2, ["a.jpg", "TRUE", "45", "1234567"]),
        (4, ["b.jpg", "0", "45.5", "007"]),
    ]
    assert table.notes == ()


def test_a_workbook_of_several_sheets(tmp_path):
    sheets = {"One": [["path"], ["a.jpg"]], "Two": [["path"], ["b.jpg"]]}
    table = open_table(write_workbook(tmp_path / "t.csv", sheets))
    assert table.notes == ("'t.csv': the sheet 'One' is read, and not 'Two'",)
    said = refusal(write_workbook(tmp_path / "t.csv", {"One": [], "Two": [["path"], ["a"]]}))
    assert "'One' empty, and 1 more" in said


def test_merged_cells_hold_what_the_first_of_them_holds(tmp_path):
    rows = [[], ["path", "id"], ["a", "P"], ["b", None], ["c", None], ["d", None], ["e", "Q"]]
    path = write_workbook(tmp_path / "t.xlsx", {"One": rows}, merged=["B3:B5", "A7:B7", "C2:D2"])
    table = open_table(path)
    assert [" ".join(cells) for _, cells in table.rows()] == ["a P", "b P", "c P", "d ", "e Q"]
    assert table.notes == ("'t.xlsx': 2 cells merged with one above hold what it holds",)


def test_a_workbook_without_its_extra(tmp_path, monkeypatch):
    path = write_workbook(tmp_path / "t.xlsx", {"One": [["path"], ["a.jpg"]]})
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    assert "melanoscope[xlsx]" in refusal(path)


# --- any length


@pytest.mark.parametrize("packed", [False, True])
def test_memory_does_not_grow_with_the_table(tmp_path, packed):
    def peak(count: int) -> int:
        rows = "".join(f"{number:07d}.jpg,1,45\n" for number in range(count))
        content = ("path,target,age\n" + rows).encode()
        path = write(tmp_path / "t.csv", gzip.compress(content, 1) if packed else content)
        del rows, content
        tracemalloc.start()
        try:
            assert sum(1 for _ in open_table(path).rows()) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1_000)
    small, large = peak(80_000), peak(320_000)
    assert large < 1.2 * small + 500_000
