"""Minutes of twice as much as the service can do, while workers die."""

from __future__ import annotations

import json

import pytest

from tests.service.test_soak import PLACES, check, flooded

pytestmark = pytest.mark.torture


def test_twice_as_much_as_it_can(tmp_path, record_property):
    found = flooded(tmp_path, seconds=120, measured=5, dies_every=100)
    record_property("soak", json.dumps(found.summary(PLACES)))
    check(found)
    assert sum(found.statuses.values()) > 2000
    assert max(found.late, found.end.megabytes) < 1.05 * found.warm
