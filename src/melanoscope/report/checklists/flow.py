"""The flow of photographs from the archives' tables to the folds, as far as a run knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from melanoscope.report.checklists.facts import Facts


@dataclass(frozen=True)
class Stage:
    """The photographs of one archive, or of all, from its table to the folds.

    Attributes:
        name: Name of the archive for readers, or "All".
        listed: Photographs that the archive's table lists.
        present: Those of them with a file.
        readable: Those of them that could be decoded; None where not known.
        used: Those of them that took part; None where not known.
        melanomas: Melanomas among `used`; None where not known.
    """

    name: str
    listed: int
    present: int
    readable: int | None
    used: int | None
    melanomas: int | None

    @property
    def absent(self) -> int:
        """Photographs that are listed and have no file."""
        return self.listed - self.present

    @property
    def unreadable(self) -> int | None:
        """Files that could not be decoded; None where not known."""
        return None if self.readable is None else self.present - self.readable

    @property
    def left_out(self) -> int | None:
        """Photographs that are readable and yet not used; None where not known."""
        if self.readable is None or self.used is None:
            return None
        return self.readable - self.used


@dataclass(frozen=True)
class Flow:
    """Photographs from the archives' tables to the folds.

    Attributes:
        archives: Each archive by itself, in the order of run.json.
        total: All archives together.
        listed_twice: Ids that several archives list; each is counted once, where its file is.
    """

    archives: tuple[Stage, ...]
    total: Stage
    listed_twice: int | None


def flow_of(facts: Facts) -> Flow | None:
    """Follow the photographs of a run to the folds; None where run.json does not count them."""
    data = facts.record.get("data") or {}
    listed, present, broken = data.get("rows"), data.get("found"), data.get("unreadable")
    if listed is None or present is None:
        return None
    total = Stage(
        name="All",
        listed=listed,
        present=present,
        readable=None if broken is None else present - len(broken),
        used=data.get("photographs"),
        melanomas=data.get("melanomas"),
    )
    sources = data.get("sources") or ()
    archives = tuple(_archive(facts, source, none_broken=broken == []) for source in sources)
    return Flow(archives=archives, total=total, listed_twice=data.get("listed_twice"))


def _archive(facts: Facts, source: Mapping[str, Any], *, none_broken: bool) -> Stage:
    kind, present = str(source["kind"]), int(source["found"])
    used = melanomas = None
    if facts.used is not None:  # an archive of which nothing took part has no row in the catalog
        counts = [counts for name, counts in facts.used.items() if _is_of(name, kind)]
        used, melanomas = sum(n for n, _ in counts), sum(m for _, m in counts)
    return Stage(
        name=str(source["title"]),
        listed=int(source["rows"]),
        present=present,
        # run.json lists unreadable files without their archive.
        readable=present if none_broken else None,
        used=used,
        melanomas=melanomas,
    )


def _is_of(dataset: str, kind: str) -> bool:
    """Tell whether the catalog's `dataset` belongs to the `kind` of a source on the command line.

    >>> _is_of("isic2019", "isic2019-melanoma"), _is_of("table:mine", "table")
    (True, True)
    """
    return dataset == kind.removesuffix("-melanoma") or dataset.startswith(f"{kind}:")
