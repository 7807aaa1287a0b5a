"""A socket that listens, or one line that says why not."""

from __future__ import annotations

import pytest

from melanoscope.errors import MelanoscopeError
from melanoscope.service.server import open_socket


def test_an_address_that_is_taken_is_one_line():
    with open_socket("127.0.0.1", 0) as taken:
        for host, port in (("127.0.0.1", taken.getsockname()[1]), ("256.1.1.1", 80)):
            with pytest.raises(MelanoscopeError, match="another --host or --port"):
                open_socket(host, port)
    with pytest.raises(MelanoscopeError, match="a port from 0 to 65535"):
        open_socket("127.0.0.1", 99999)
