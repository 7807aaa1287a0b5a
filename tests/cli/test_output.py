"""Names of files and words of tables reach the terminal as text: nothing of them is obeyed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import melanoscope
from melanoscope.imaging.decode import write_image

from .conftest import Call

SCRATCH = ("--backbone", "standard_cnn", "--transfer", "scratch")
HOSTILE = "x\x1b[31m\x1b]0;t\a\u202e\x9b2J[bold]:skull:"
CELL = HOSTILE + "\r"
FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What a terminal obeys: control characters but for line feeds, and marks of direction."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table whose every free cell, file name and folder name is hostile."""
    folder = tmp_path_factory.mktemp("hostile") / HOSTILE
    folder.mkdir()
    rng = np.random.default_rng(0)
    names = ("path", "target", "patient_id", "lesion_id", "diagnosis", "center", "license")
    lines = [",".join([*names, HOSTILE])]
    for number in range(24):
        name = f"{number}{HOSTILE}.png"
        if number > 3:
            write_image(folder / name, rng.integers(0, 256, (40, 40, 3)).astype(np.uint8))
        elif number > 1:
            (folder / name).write_bytes(b"no photograph")
        ids = f"p{number // 2}{CELL}", f"l{number}{CELL}"
        cells = [name, str(number % 2) if number < 23 else "", *ids, "", CELL, CELL, CELL]
        lines.append(",".join(f'"{cell}"' for cell in cells))
    (folder / f"{HOSTILE}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    return folder


def check(out: str, err: str) -> None:
    for text in (out, err):
        assert not FORBIDDEN.search(text), ascii(text)
    # It did reach the output, and is spelt out.
    assert "\\x1b[31m" in out + err or "\\u001b[31m" in out + err
    assert "[bold]:skull:" in out + err


@pytest.mark.parametrize("words", [(), ("--json",)])
@pytest.mark.parametrize("command", ["summary", "audit"])
def test_archives(call: Call, archive: Path, tmp_path: Path, command: str, words: tuple) -> None:
    out_option = ("--out", tmp_path / f"audit{HOSTILE}") if command == "audit" else ()
    status, out, err = call("data", command, "--data", f"table={archive}", *out_option, *words)
    assert status == 0, err
    check(out, err)
    if words:
        told = json.loads(out)
        notes = told["notes"] + [note for one in told.get("tables", ()) for note in one["notes"]]
        assert any(HOSTILE in note for note in notes)
    elif command == "summary":
        for cell in ("center", "license"):
            assert cell in out
        assert "unreadable: " in out
        assert "absent (2" in out
        assert "left out, " in out


@pytest.mark.parametrize(
    "words",
    [
        ("data", "summary", "--data", f"table={HOSTILE}"),
        ("data", "summary", "--data", f"{HOSTILE}=x"),
        ("data", "audit", "--data", f"ham10000={HOSTILE}"),
        ("benchmark", "--data", f"isic2018={HOSTILE}", "--out", HOSTILE, "--transfer", "scratch"),
        ("benchmark", "--data", "simulated=9", "--out", "x", "--backbones", HOSTILE),
        ("benchmark", "--data", "simulated=9", "--out", "x", "--target", HOSTILE),
        ("train", "--data", f"table={HOSTILE}", "--out", HOSTILE, *SCRATCH),
        ("export", HOSTILE, "--out", HOSTILE, "--best"),
        ("report", HOSTILE),
        ("demo", "--data", HOSTILE, "--out", HOSTILE),
        ("predict", HOSTILE, HOSTILE),
        ("serve", HOSTILE),
    ],
    ids=lambda words: " ".join(words[:2]).partition(HOSTILE[0] + "\x1b")[0],
)
def test_every_command_escapes_what_it_refuses(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = call(*words)
    assert status == 1
    check(out, err)


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_answers(call: Call, small_bundle, archive: Path, tmp_path: Path, words: tuple) -> None:
    # Two of them are no photographs.
    photographs = sorted(archive.glob("*.png"), key=lambda file: file.stat().st_size)[:4]
    status, out, err = call("predict", small_bundle, *photographs, *words)
    assert status == 1
    check(out, err)
    explained = tmp_path / f"explained{HOSTILE}"
    status, out, err = call(
        "predict", small_bundle, photographs[-1], "--explain", explained, *words
    )
    assert status == 0, err
    check(out, err)


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_answered_tables(
    call: Call, small_bundle, archive: Path, tmp_path: Path, words: tuple
) -> None:
    table, out_file = archive / f"{HOSTILE}.csv", tmp_path / f"out{HOSTILE}.csv"
    status, out, err = call("predict", small_bundle, "--table", table, "--out", out_file, *words)
    assert status == 0, err
    check(out, err)


def test_commands_print_in_one_place_only() -> None:
    """Elsewhere, whoever prints would have to think of escaping."""
    package = Path(melanoscope.__file__).parent
    # rich's consoles: `inference.text.console` and `data.summary` escape, as is tested above.
    printing = re.compile(
        r"\btyper\.(echo|secho)\(|(?<![\w.])(?<!def )print\(|sys\.std(out|err)\.write\("
    )
    found = {
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if any(
            printing.search(line) and ">>>" not in line for line in file.read_text().splitlines()
        )
    }
    assert found <= {"cli/output.py", "cli/signals.py"}, found
