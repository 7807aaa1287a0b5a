"""What is torn, damaged, or only bears the name of a table is refused in one line."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import pytest

from .table_files import text, why_not_opened, write


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
    assert said in why_not_opened(write(tmp_path / "t.csv", content.encode(encoding)))


def _zip(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), "path,target\n")
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
        (gzip.compress(_tar(), mtime=0), "a tar archive in a .gz"),
        (gzip.compress(b"", mtime=0), "an empty file in a .gz"),
        (gzip.compress(_zip("a"), mtime=0), "a zip archive in a .gz"),
        (gzip.compress(text().encode() * 50, mtime=0)[:-20], "cut off"),
        (gzip.compress(text().encode(), mtime=0)[:20], "cut off"),
        (_zip("xl/worksheets/sheet1.xml"), "a whole workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a whole workbook"),
    ],
)
def test_what_only_bears_a_tables_name(tmp_path, content, said):
    assert said in why_not_opened(write(tmp_path / "t.csv", content))


def test_damaged_gzip(tmp_path):
    packed = bytearray(gzip.compress(text().encode() * 9))
    packed[20] ^= 0xFF
    why_not_opened(write(tmp_path / "t.csv.gz", bytes(packed)))


def test_places_without_a_file(tmp_path):
    assert "nothing there" in why_not_opened(tmp_path / "gone.csv")
    assert "a folder" in why_not_opened(tmp_path)
    (tmp_path / "link.csv").symlink_to(tmp_path / "gone.csv")
    assert "a link that leads nowhere" in why_not_opened(tmp_path / "link.csv")
