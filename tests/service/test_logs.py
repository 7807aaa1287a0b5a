"""Logs never tell who sent what."""

from __future__ import annotations

import json
import logging

from .conftest import Service, eventually, photograph


def test_exceptions_are_logged_without_what_they_say(service: Service, written):
    service.predictor.fail = True
    service.diagnose(photograph(), age="67.25", site="palms/soles")
    eventually(lambda: len(written()) >= 2)
    mistake = next(line for line in written() if line["event"] == "mistake")
    assert mistake["exception"] == "RuntimeError"
    assert any("pretend.py" in place for place in mistake["at"])
    assert "67.25" not in json.dumps(written())
    assert "palms" not in json.dumps(written())


def test_what_libraries_say_is_not_repeated(written):
    logging.getLogger("python_multipart.multipart").error("Jane Doe")
    logging.getLogger("PIL.Image").error("Jane Doe")
    logging.getLogger("some.library").error("Jane Doe")
    try:
        raise ValueError("Jane Doe")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    assert "Jane" not in json.dumps(written())
    assert len(written()) == 2
