"""The record of the long form adds up runs of parts."""

from __future__ import annotations

import json

from .record import add_row


def test_a_later_row_takes_the_place_of_an_earlier_one(tmp_path):
    path = tmp_path / "torture.json"
    failed = {"outcome": "failed", "seconds": 1.0, "kills": 2, "commit": "a"}
    add_row(path, "test_b", failed)
    add_row(path, "test_a", {**failed, "outcome": "passed", "lost_at_most": 1})
    add_row(path, "test_b", {**failed, "outcome": "passed", "kills": 5, "lost_at_most": 0})
    record = json.loads(path.read_text())
    assert record["sums"] == {"passed": 2, "seconds": 2.0, "kills": 7, "lost_at_most": 1}
    assert list(record["tests"]) == ["test_a", "test_b"]
    assert list(tmp_path.iterdir()) == [path]
