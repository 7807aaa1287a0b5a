"""Each value of a JSON document replaced, or removed, one at a time."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

VALUES: tuple[Any, ...] = (
    None,
    "",
    "<script>\x1b[31m$\\frac$ ../../x",
    0,
    -1,
    1.5,
    float("nan"),
    float("inf"),
    10**30,
    True,
    [],
    {},
    [None],
    [[]],
    {"x": 1},
)


FEW: tuple[Any, ...] = (None, VALUES[2], -1, 10**30, [None])


def mutations(
    document: dict[str, Any], values: tuple[Any, ...] = FEW
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place of each change and the document with it."""
    for path in list(_paths(document)):
        for value in values:
            changed = copy.deepcopy(document)
            _parent(changed, path)[path[-1]] = copy.deepcopy(value)
            yield f"{'.'.join(map(str, path))} = {value!r}", changed
        changed = copy.deepcopy(document)
        del _parent(changed, path)[path[-1]]
        yield f"no {'.'.join(map(str, path))}", changed


def _paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = list(enumerate(value))[:1]
    for name, one in items:
        yield (*before, name)
        yield from _paths(one, (*before, name))


def _parent(document: Any, path: tuple[Any, ...]) -> Any:
    for name in path[:-1]:
        document = document[name]
    return document
