"""The headline of a run: the best network beside physicians, and the effect of transfer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from melanoscope.stats.intervals.interval import ALPHA, Interval, PairedTest
from melanoscope.stats.intervals.margin import MARGIN
from melanoscope.stats.reference.physicians import PHYSICIANS
from melanoscope.stats.subgroups.source_balanced_auroc import archive_only_auroc
from melanoscope.stats.summary import Summary, SummaryRow
from melanoscope.transfers import TRANSFER_ACTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from melanoscope.report.sections.section import Section
    from melanoscope.report.sections.selection import Selection
    from melanoscope.runs.reader import Run


@dataclass(frozen=True)
class Effect:
    """Effect of one transfer on AUROC, on average over networks.

    Attributes:
        act: The transfer as the subject of a sentence.
        difference: Mean difference from training from scratch.
        verdict: "helps", "hurts" or "unclear" by the interval; "probably" by the test alone.
        better: Number of networks that are significantly better after Holm's adjustment.
        compared: Number of networks compared.
        smallest: About the smallest difference that could have had a star; None by the poster's
            protocol.
        equivalent: Backbones whose difference is shown to lie within `MARGIN`.
    """

    act: str
    difference: Interval
    verdict: str
    better: int
    compared: int
    smallest: float | None
    equivalent: tuple[str, ...]

    @property
    def repeats_advised(self) -> bool:
        """Whether only a difference of more than twice the margin could have had a star."""
        return self.smallest is not None and self.smallest > 2 * MARGIN


def compare_with_physicians(row: SummaryRow) -> str:
    """Say in one sentence whose AUROC a network is above; empty where that was not tested."""
    if not row.above:
        return ""
    names: dict[bool, list[str]] = {True: [], False: []}
    for group in PHYSICIANS:
        above = row.above[group.key] < ALPHA
        names[above].append(f"{group.label.lower()} ({group.auroc.estimate:.2f})")
    clauses = []
    if names[True]:
        clauses.append(f"significantly above published {' and '.join(names[True])}")
    if names[False]:
        published = "" if names[True] else "published "
        clauses.append(f"not significantly above {published}{' or '.join(names[False])}")
    text = ", ".join([*clauses, "who judged other lesions"])
    return f"{text[0].upper()}{text[1:]}."


def describe_choice(sections: Sequence[Section]) -> list[str]:
    """Say what cannot be told from the best network, and the smallest that will do; or nothing."""
    shown = (one for one in sections if one.name == "selection" and not one.missing)
    selection: Selection | None = next((one.content["selection"] for one in shown), None)
    return [] if selection is None else [_like_the_best(selection), _smallest(selection)]


def _like_the_best(selection: Selection) -> str:
    others = [label for label in selection.may_be_best if label != selection.best.label]
    if others:
        return f"Cannot be told from it: {_listed(others)}."
    rest = len(selection.candidates) - 1
    return f"Better than {f'each of the {rest} others' if rest > 1 else 'the other'}."


def _listed(labels: Sequence[str], most: int = 4) -> str:
    """List labels, the first few by name."""
    named = labels if len(labels) <= most else labels[: most - 1]
    rest = len(labels) - len(named)
    return "; ".join([*named, *([f"and {rest} others"] if rest else [])])


def _smallest(selection: Selection) -> str:
    found, margin = selection.smallest_candidate, f"{selection.margin:g}"
    if found is None:
        none = "No network, not even the one of the largest AUROC,"
        return f"{none} is shown to be within {margin} of the best."
    if found == selection.best:
        return f"No smaller network is shown to be within {margin} of the best."
    size = f"{found.parameters or 0:,} parameters, {found.megabytes or 0:.1f} MB"
    return f"The smallest shown to be within {margin} of the best: {found.label} ({size})."


def effects(summary: Summary, labels: Mapping[str, str]) -> list[Effect]:
    """Describe the effect of each transfer that networks were compared by, fine-tuning first.

    Args:
        summary: Rows and comparisons of a run.
        labels: Backbone -> its name for readers.

    Returns:
        The effects.
    """
    found = []
    for transfer, act in TRANSFER_ACTS.items():
        compared = [c for c in summary.comparisons if (c.transfer, c.metric) == (transfer, "auroc")]
        if test := summary.overall.get(transfer):
            found.append(
                Effect(
                    act=act,
                    difference=test.difference,
                    verdict=_verdict(test),
                    better=sum(1 for c in compared if c.stars),
                    compared=len(compared),
                    smallest=summary.smallest_starred.get(transfer),
                    equivalent=tuple(
                        labels.get(c.backbone, c.backbone)
                        for c in compared
                        if c.p_equivalence is not None and c.p_equivalence < ALPHA
                    ),
                )
            )
    return found


def _verdict(test: PairedTest) -> str:
    if test.difference.low > 0:
        return "helps"
    if test.difference.high < 0:
        return "hurts"
    return "probably" if test.p_value < ALPHA else "unclear"


def archives(run: Run) -> list[dict[str, Any]]:
    """Count the photographs and positives of each archive of a `run`, the largest first."""
    titles = {source.kind: source.title for source in run.record.data.sources}
    return (
        run.catalog.group_by("dataset")
        .agg(photographs=pl.len(), positives=pl.col("target").sum())
        .sort("photographs", "dataset", descending=[True, False])
        .with_columns(name=pl.col("dataset").replace(titles))
        .to_dicts()
    )


def diagnoses(run: Run) -> list[dict[str, Any]]:
    """Count the photographs of each diagnosis of a `run`, positive ones and the commonest first."""
    counts = run.catalog.group_by("target", "diagnosis").agg(photographs=pl.len())
    order = ("target", "photographs", "diagnosis")
    return counts.sort(order, descending=[True, True, False]).to_dicts()


def archive_auroc(run: Run) -> float | None:
    """Return the AUROC of guessing by the archive; None with one archive, or one class."""
    if min(run.catalog[name].n_unique() for name in ("dataset", "target")) < 2:
        return None
    return archive_only_auroc(run.catalog["target"].to_numpy(), run.catalog["dataset"].to_numpy())
