"""One small table as all kinds of programs save it, and what only bears a table's name."""

from __future__ import annotations

import gzip
import sys
import tracemalloc

import pytest

from melanoscope.tables.table_file import open_table

from .table_files import KNOWN, ROWS, text, why_not_opened, write
from .workbooks import write_workbook


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
    said = why_not_opened(write(tmp_path / "t", good.encode() + b"\xe9.jpg,2"))
    assert "UTF-8 up to line 7, and there byte 0xe9" in said
    said = why_not_opened(write(tmp_path / "t", text().encode("utf-16")[:-1]))
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


def test_a_note_of_several_lines_is_no_torn_quote(tmp_path):
    content = 'path,t,note\na,1,"red, raised\nitches, bleeds"\nb,0,"1\n2"\n'
    assert len(list(open_table(write(tmp_path / "t", content)).rows())) == 2


def test_rows_of_other_lengths_on_request(tmp_path):
    table = open_table(write(tmp_path / "t", "path,target\na\nb,1,x\nc,0\n"))
    rows = list(table.rows(strict=False))
    assert rows == [(2, ["a"]), (3, ["b", "1", "x"]), (4, ["c", "0"])]
    assert [table.fault(*row) is None for row in rows] == [False, False, True]


@pytest.mark.parametrize(
    "above", ["Study of 2021\n", "Study,,\n\n", "# made on 2024-01-01, by age\n", "path to it\n"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_lines_above_the_header(tmp_path, above, delimiter):
    path = write(tmp_path / "t.csv", above.replace(",", delimiter) + text(delimiter))
    said = why_not_opened(path)
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
    said = why_not_opened(write_workbook(tmp_path / "t.csv", {"One": [], "Two": [["path"], ["a"]]}))
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
    assert "melanoscope[xlsx]" in why_not_opened(path)


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
