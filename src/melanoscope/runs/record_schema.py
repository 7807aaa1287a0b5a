"""What run.json and done.json must hold for a reader, value by value.

A run folder may come from anybody: what is not of its type here is refused in one line, and not
found out by whatever first computes with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from melanoscope.errors import RunError

_MOST = 10**12  # more photographs, pixels or bytes has no run
_DEEP = 12

Check = Callable[[Any, str], None]
"""Refuses a value; the second argument names its place, as in "run.json's data.rows"."""


@dataclass(frozen=True)
class Value:
    """A plain value: what it is called in an error, and which values are."""

    what: str
    allows: Callable[[Any], bool]

    def __call__(self, value: Any, place: str) -> None:
        """Refuse a `value` of another kind, at a `place`."""
        if not self.allows(value):
            raise _unlike(self.what, value, place)


def optional(check: Value) -> Value:
    """Return a check that takes None, too."""
    return Value(f"{check.what} or null", lambda value: value is None or check.allows(value))


def listed(check: Check) -> Check:
    """Return a check of a list, each of whose values passes `check`."""

    def each(value: Any, place: str) -> None:
        if not isinstance(value, list):
            raise _unlike("a list", value, place)
        for number, one in enumerate(value):
            check(one, f"{place}[{number}]")

    return each


def mapping(check: Check) -> Check:
    """Return a check of an object with any keys, each of whose values passes `check`."""

    def each(value: Any, place: str) -> None:
        if not isinstance(value, Mapping):
            raise _unlike("an object", value, place)
        for name, one in value.items():
            check(one, f"{place}.{name}")

    return each


def with_keys(**checks: Check) -> Check:
    """Return a check of an object that has at least these keys."""

    def each(value: Any, place: str) -> None:
        mapping(anything)(value, place)
        missing = [name for name in checks if name not in value]
        if missing:
            raise RunError(
                f"keys {', '.join(checks)} in {place}",
                f"no {', '.join(missing)}",
                "run the benchmark again with this version",
            )
        for name, check in checks.items():
            check(value[name], f"{place}.{name}")

    return each


def anything(value: Any, place: str, depth: int = 0) -> None:
    """Refuse only numbers that are none or too large, and what is nested too deep."""
    if depth > _DEEP:
        raise _unlike("values that are not nested so deep", "deeper ones", place)
    if isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            anything(one, place, depth + 1)
    elif isinstance(value, int | float) and not (math.isfinite(value) and abs(value) <= 2**63):
        raise _unlike("a number of the usual size", value, place)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST


def _is_number(value: Any) -> bool:
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return real and 0 <= value <= _MOST  # NaN is not


def _unlike(what: str, value: Any, place: str) -> RunError:
    found = repr(value)
    return RunError(
        f"{what} in {place}", found if len(found) <= 60 else f"{found[:57]}...", "run again"
    )


text = Value("text", lambda value: isinstance(value, str))
flag = Value("true or false", lambda value: isinstance(value, bool))
whole = Value("a whole number of 0 or more", _is_whole)
positive = Value("a whole number above 0", lambda value: _is_whole(value) and value > 0)
number = Value("a number of 0 or more", _is_number)
protocol = Value("corrected or poster", lambda value: value in ("corrected", "poster"))
folds = Value("1 to 1,000", lambda value: _is_whole(value) and 1 <= value <= 1000)
side = Value("1 to 10,000 pixels", lambda value: _is_whole(value) and 1 <= value <= 10_000)
threads = Value("1 to 1,024 threads", lambda value: _is_whole(value) and 1 <= value <= 1024)
seed = Value("a whole number", lambda value: type(value) is int and abs(value) < 2**63)

_TARGET = with_keys(
    name=text,
    condition=text,
    singular=text,
    plural=text,
    negative_plural=text,
    diagnoses=listed(text),
    indeterminate=text,
)
_CONFIGURATION = with_keys(
    data=listed(text),
    backbones=listed(text),
    transfer=listed(text),
    folds=folds,
    repeats=folds,
    size=side,
    seed=seed,
    recipe=with_keys(epochs=positive, batch_size=positive),
    protocol=protocol,
    near_duplicates=flag,
    target=_TARGET,
    weights=optional(text),
    threads=optional(threads),
    simulated=flag,
)
_SOURCE = with_keys(
    kind=text, title=text, licence=text, attribution=text, rows=whole, found=whole, absent=whole
)
_DATA = with_keys(
    fingerprint=text,
    sources=listed(_SOURCE),
    rows=whole,
    found=whole,
    absent=whole,
    absent_examples=listed(text),
    unreadable=listed(with_keys(image_id=text, reason=text)),
    listed_twice=whole,
    photographs=whole,
    positives=whole,
    patients=whole,
    lesions=whole,
    groups=whole,
    unlabelled=listed(with_keys(dataset=text, reason=text, rows=whole, found=whole)),
    notes=listed(text),
    licences=mapping(mapping(whole)),
)
_FOLD = with_keys(fold=seed, photographs=whole, positives=whole, groups=whole)
RUN_RECORD = with_keys(
    melanoscope=text,
    created=text,
    identity=mapping(anything),
    configuration=_CONFIGURATION,
    hardware=with_keys(
        processor=text, cores=positive, accelerator=optional(text), memory_gib=optional(number)
    ),
    data=_DATA,
    folds=with_keys(fingerprint=text, sizes=listed(listed(_FOLD))),
    versions=mapping(text),
    skipped=listed(with_keys(backbone=text, transfer=text, why=text)),
    weights=mapping(anything),
    threads=threads,  # PyTorch dies of a number without end
    files=mapping(anything),
)
"""Content of run.json."""

CELL_RECORD = with_keys(
    n_train=positive,
    n_validation=whole,
    n_test=positive,
    best_epoch=whole,
    seconds=number,
    identity=text,
    files=mapping(anything),
)
"""Content of a cell's done.json."""
