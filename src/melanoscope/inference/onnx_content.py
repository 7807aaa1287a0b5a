"""What an ONNX file must not hold, found in its bytes before any of it is run.

A tensor may say that its values lie in another file, or at an address of the process's memory, and
an operator may belong to a library. None of that is in the bytes that a bundle's sha256 is of. The
file is a protocol buffer, of which just enough is read here, as the package `onnx` is none of the
base install; numbers of fields: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from melanoscope.errors import BundleError

_DOMAINS: Final = (b"", b"ai.onnx")  # the operators of ONNX itself
_MAX_DEPTH = 32
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5

# Message -> number of a field -> message that it holds; "domain" and "external" are looked at.
_MESSAGES: Final[dict[str, dict[int, str]]] = {
    "Model": {7: "Graph", 20: "TrainingInfo", 25: "Function"},
    "TrainingInfo": {1: "Graph", 2: "Graph"},
    "Function": {7: "Node", 11: "Attribute", 10: "domain"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Node": {5: "Attribute", 7: "domain"},
    "Attribute": {
        5: "Tensor",
        10: "Tensor",
        6: "Graph",
        11: "Graph",
        22: "SparseTensor",
        23: "SparseTensor",
    },
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
    "Tensor": {13: "external", 14: "external"},
}


class _NotOnnxError(ValueError):
    """Bytes that are no protocol buffer of ONNX."""


class _ForeignError(ValueError):
    """What a graph takes from elsewhere."""


def refuse_foreign(content: bytes, where: str) -> None:
    """Refuse a graph that takes anything from outside its own bytes.

    Args:
        content: An ONNX file as a whole.
        where: Its place, for errors.

    Raises:
        BundleError: No ONNX file, external data, or operators of a library.
    """
    try:
        if not any(number == 7 for number, _, _ in _fields(memoryview(content))):
            raise _NotOnnxError
        _walk(memoryview(content), "Model", 0)
    except _ForeignError as error:
        raise BundleError(
            f"a graph that is whole in itself at '{where}'", str(error), "export it anew"
        ) from None
    except _NotOnnxError:
        raise BundleError(
            f"an ONNX graph at '{where}'", "something else", "copy the bundle again"
        ) from None


def _walk(message: memoryview, kind: str, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise _NotOnnxError
    known = _MESSAGES[kind]
    for number, wire, value in _fields(message):
        inner = known.get(number)
        if inner is None:
            continue
        if inner == "external":
            # Field 14 says where the values lie: 0 here, 1 elsewhere; field 13 describes that.
            if number == 13 or value:
                raise _ForeignError("tensors whose values lie outside of it")
        elif wire != _LENGTH or not isinstance(value, memoryview):
            raise _NotOnnxError
        elif inner != "domain":
            _walk(value, inner, depth + 1)
        elif bytes(value) not in _DOMAINS:
            name = bytes(value[:40]).decode("utf-8", "replace")
            raise _ForeignError(f"operators of the library '{name}'")


def _fields(message: memoryview) -> Iterator[tuple[int, int, memoryview | int]]:
    """Yield number, wire type and value of each field of a message."""
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        if key >= 2**32:  # which other readers cut off, and then see another field
            raise _NotOnnxError
        number, wire = key >> 3, key & 7
        value: memoryview | int
        if wire == _VARINT:
            value, at = _varint(message, at)
        else:
            if wire == _LENGTH:
                length, at = _varint(message, at)
            elif wire in (_FIXED32, _FIXED64):
                length = 4 if wire == _FIXED32 else 8
            else:  # groups, which ONNX has none of
                raise _NotOnnxError
            if length > end - at:
                raise _NotOnnxError
            value, at = message[at : at + length], at + length
        if not number:
            raise _NotOnnxError
        yield number, wire, value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return a number of at most 64 bits, seven to a byte, and the place behind it."""
    value = 0
    for place in range(10):
        if at >= len(message):
            raise _NotOnnxError
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at
    raise _NotOnnxError
