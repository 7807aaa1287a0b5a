"""Under which names the service answers, and whose pages may send it photographs.

A page of a stranger can give its own name this machine's address and then read whatever answers
there as its own ("DNS rebinding"). The Host header gives it away: it holds the stranger's name. An
address in its place is safe, since no stranger has this one.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING

from melanoscope.errors import MelanoscopeError
from melanoscope.service.http.problems import Problem, quoted

if TYPE_CHECKING:
    from starlette.types import Scope

ANY = "*"
"""In the place of a name: whatever name there is."""

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]/@\s]+)(:[0-9]{0,5})?")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


class AllowedHosts:
    """The `names` of a service, beside those that every service has.

    Args:
        names: Names without scheme and port; "*" allows every name and origin.

    Raises:
        MelanoscopeError: A name that cannot be one.

    >>> hosts = AllowedHosts(["skin.example"])
    >>> [hosts.is_ours(name) for name in ("localhost", "10.0.0.7", "skin.example", "evil.example")]
    [True, True, True, False]
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._named = {_checked(name) for name in names}
        machine = socket.gethostname().lower()
        self._names = self._named | {"localhost", machine, f"{machine}.local"}

    def is_ours(self, name: str) -> bool:
        """Return whether the service answers under `name`, without a port."""
        return ANY in self._named or name in self._names or _is_address(name)

    def check(self, scope: Scope) -> None:
        """Raise a problem for a request of ASGI's `scope` that is not meant for this service."""
        headers = dict(scope["headers"])  # uvicorn lets only one Host through
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if host and not self.is_ours(_name_of(host)):
            raise Problem(
                "unknown-host",
                "a Host that is this service's own",
                quoted(host),
                "start the service with --allowed-host and that name, if it is",
                headers={"Connection": "close"},
            )
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        if origin and scope["method"] not in _SAFE_METHODS and not self._is_own(origin, host):
            raise Problem(
                "foreign-origin",
                "a request of the service's own page",
                f"one of a page of {quoted(origin)}",
                "open the page of the service itself",
            )

    def _is_own(self, origin: str, host: str) -> bool:
        """Return whether a page of an `origin` came from here; "null" says that none knows."""
        authority = origin.partition("://")[2]
        # A proxy may say another Host than browsers do, so that names are taken at their word.
        return ANY in self._named or authority == host or _name_of(authority) in self._named


def _name_of(authority: str) -> str:
    """Return the name in `authority`, without port, brackets and last dot; "" for what is none."""
    found = _AUTHORITY.fullmatch(authority)
    return found[1].strip("[]").removesuffix(".") if found else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _checked(name: str) -> str:
    lowered = name.strip().lower().removesuffix(".")
    is_name = lowered == ANY or _is_address(lowered) or _name_of(lowered) == lowered
    if not lowered or not is_name:
        raise MelanoscopeError(
            "a name of a host, without scheme and port",
            f"'{name}'",
            "skin.example for example, or * for every name",
        )
    return lowered
