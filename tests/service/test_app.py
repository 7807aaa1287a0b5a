"""The application as a whole."""

from __future__ import annotations

from melanoscope.service.app import create_app
from melanoscope.service.settings import Settings

from .pretend import Pretended, pretended_bundle


def test_building_the_service_needs_no_loop(tmp_path):
    predictor = Pretended(pretended_bundle(tmp_path))
    assert create_app(predictor, Settings(), None).title == "melanoscope"
