"""Archives in which nothing varies: summary and audit say what they can, or why they cannot."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from melanoscope.imaging.decode import write_image

from .conftest import Call

ARCHIVES = {
    "one photograph": ["a,p,1,50"],
    "one class": ["a,p,0,50", "b,q,0,60", "c,r,0,"],
    "one patient": ["a,p,0,50", "b,p,1,50", "c,p,1,50"],
    "two photographs": ["a,p,0,", "b,q,1,"],
    "no label": ["a,p,,", "b,q,,"],
    "one photograph three times": ["a,p,0,50", "a2,q,1,50", "a3,r,1,50"],
}


@pytest.mark.parametrize("name", list(ARCHIVES))
@pytest.mark.parametrize("command", ["summary", "audit"])
def test_archives_in_which_nothing_varies(
    call: Call, tmp_path: Path, command: str, name: str
) -> None:
    rows = ARCHIVES[name]
    for number, row in enumerate(rows):
        seed = 0 if "times" in name else number
        pixels = np.random.default_rng(seed).integers(0, 256, (40, 40, 3)).astype(np.uint8)
        write_image(tmp_path / f"{row.partition(',')[0]}.png", pixels)
    lines = [row.replace(",", ".png,", 1) for row in rows]
    (tmp_path / "t.csv").write_text("\n".join(["path,patient_id,target,age", *lines]) + "\n")
    out_option = ("--out", tmp_path / "out") if command == "audit" else ()
    status, out, err = call("data", command, "--data", f"table={tmp_path}", *out_option, "--json")
    assert status == (1 if name == "no label" else 0), err
    assert err.count("melanoscope: ") == status
    if status == 0:
        told = json.loads(out, parse_constant=lambda word: pytest.fail(word))
        assert (told["rows"] if command == "summary" else told["photographs"]) == len(rows)
