"""The flow of photographs from the archives' tables to the folds, as far as a run knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from melanoscope.report.checklists.facts import Facts
from melanoscope.runs.files import is_from


@dataclass(frozen=True)
class Stage:
    """The photographs of one archive, or of all, from its table to the folds.

    Attributes:
        name: Name of the archive for readers, or "All".
        listed: Photographs that the archive's table lists.
        labelled: Those of them whose row says whether they are positive.
        present: Those of them, with a label, that have a file.
        readable: Those of them that could be decoded; None where not known.
        used: Those of them that took part; None where not known.
        positives: Positives among `used`; None where not known.
    """

    name: str
    listed: int
    labelled: int
    present: int
    readable: int | None
    used: int | None
    positives: int | None

    @property
    def absent(self) -> int:
        """Photographs that have a label and no file."""
        return self.labelled - self.present

    @property
    def unlabelled(self) -> int:
        """Photographs that are listed without a label."""
        return self.listed - self.labelled

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
    labelled, present, broken = data.get("rows"), data.get("found"), data.get("unreadable")
    if labelled is None or present is None:
        return None
    unlabelled = data.get("unlabelled") or ()
    total = Stage(
        name="All",
        listed=labelled + sum(counts["rows"] for counts in unlabelled),
        labelled=labelled,
        present=present,
        readable=None if broken is None else present - len(broken),
        used=data.get("photographs"),
        positives=data.get("positives"),
    )
    sources = data.get("sources") or ()
    archives = tuple(
        _archive(facts, source, unlabelled, none_broken=broken == []) for source in sources
    )
    return Flow(archives=archives, total=total, listed_twice=data.get("listed_twice"))


def _archive(
    facts: Facts,
    source: Mapping[str, Any],
    unlabelled: Sequence[Mapping[str, Any]],
    *,
    none_broken: bool,
) -> Stage:
    kind, listed = str(source["kind"]), int(source["rows"])
    lacking = [counts for counts in unlabelled if is_from(counts["dataset"], kind)]
    present = int(source["found"]) - sum(counts["found"] for counts in lacking)
    used = positives = None
    if facts.used is not None:  # an archive of which nothing took part has no row in the catalog
        counts = [counts for name, counts in facts.used.items() if is_from(name, kind)]
        used, positives = sum(n for n, _ in counts), sum(m for _, m in counts)
    return Stage(
        name=str(source["title"]),
        listed=listed,
        labelled=listed - sum(counts["rows"] for counts in lacking),
        present=present,
        # run.json lists unreadable files without their archive.
        readable=present if none_broken else None,
        used=used,
        positives=positives,
    )
