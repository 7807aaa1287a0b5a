"""The parts of a multipart form, as a parser comes upon them. File names are never looked at."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from python_multipart.multipart import parse_options_header

from melanoscope.service.http.problems import Problem, shown

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

PHOTOGRAPH = "photograph"
FIELD_BYTES = 100
"""Most of a field other than the photograph; the longest word that means something has 15."""


class Parts:
    """What a parser comes upon.

    Args:
        names: Of fields that are read; any other is refused, as is a second of the same.

    Attributes:
        found: Content of the parts, by name.
        whole: Whether the form's end was seen.
    """

    def __init__(self, names: Collection[str]) -> None:
        self.names, self.whole = names, False
        self.found: dict[str, bytes] = {}
        self._start()

    def callbacks(self) -> MultipartCallbacks:
        """Return what a parser is to call; some of it raises `Problem`."""
        return {
            "on_part_begin": self._start,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_data,
            "on_part_end": self._on_part_end,
            "on_end": self._on_end,
        }

    def _start(self) -> None:
        self._name, self._size = "", 0
        self._pieces: list[bytes] = []
        self._header, self._value, self._disposition = b"", b"", b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _on_headers_finished(self) -> None:
        kind, options = parse_options_header(self._disposition.decode("latin-1"))
        name = options.get(b"name")
        if kind != b"form-data" or name is None:
            raise broken("a part without a name")
        self._name = name.decode("latin-1")
        if self._name not in self.names or self._name in self.found:
            raise Problem(
                "invalid-field",
                f"the fields {', '.join(self.names)}, each at most once",
                f"{'another' if self._name in self.found else 'a field'} {shown(self._name)}",
                "leave it out",
            )

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._size > FIELD_BYTES and self._name != PHOTOGRAPH:
            raise Problem(
                "invalid-field",
                f"a {self._name} of at most {FIELD_BYTES} bytes",
                "more",
                "say it in fewer words",
                field=self._name,
            )
        self._pieces.append(data[start:end])

    def _on_part_end(self) -> None:
        self.found[self._name] = b"".join(self._pieces)
        self._pieces = []

    def _on_end(self) -> None:
        self.whole = True


def broken(found: str) -> Problem:
    """Say what is wrong with a form as such."""
    return Problem("broken-request", "a whole multipart form", found, "send it again")
