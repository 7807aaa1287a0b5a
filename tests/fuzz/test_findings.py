"""What the fuzzers found once, and what they begin with, without the fuzzer itself."""

from __future__ import annotations

import pytest

from . import seeds
from .targets import TARGETS

FOUND = [(target, path) for target in TARGETS for path in seeds.findings(target)]


def test_every_target_has_a_finding():
    assert {target for target, _ in FOUND} == set(TARGETS)


@pytest.mark.parametrize(
    ("target", "path"), [pytest.param(target, path, id=path.name) for target, path in FOUND]
)
def test_what_was_found_is_mended(target, path):
    TARGETS[target](path.read_bytes())


@pytest.mark.parametrize("target", ["tables", "bundles"])
def test_seeds_are_no_findings(target):
    """Those of the decoder: tests/torture/test_broken_photographs.py."""
    tried = 0
    for content in seeds.seeds(target):
        if target == "bundles" and content[:1] > b"\x7f":
            continue  # changes by chance: the fuzzer's business
        TARGETS[target](content)
        tried += 1
    assert tried
