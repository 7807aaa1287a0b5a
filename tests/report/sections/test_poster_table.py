"""The poster's printed rows beside those of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from melanoscope.report.context import ReportContext
from melanoscope.report.sections.poster_table import poster_table_section
from melanoscope.stats.reference.poster_table import published_rows

from .words import rendered


def test_printed_rows_stand_beside_complete_networks(context: ReportContext) -> None:
    """Each network and transfer beside its own row as printed; frozen backbones have none."""
    rows = {row.label: row for row in poster_table_section(context).numbers}
    assert list(rows) == [
        *("Standard CNN, from scratch", "ResNet-50, from scratch", "VGG-16, from scratch"),
        *("ResNet-50, fine-tuned", "VGG-16, fine-tuned"),
    ]
    row = rows["VGG-16, fine-tuned"]
    assert (row.printed_label, row.note) == ("VGG [30]**", "")
    printed = {metric: (i.low, i.estimate, i.high) for metric, i in row.printed.items()}
    assert printed == {
        "accuracy": pytest.approx((0.956, 0.959, 0.962)),
        "auroc": pytest.approx((0.861, 0.874, 0.887)),
        "auprc": pytest.approx((0.724, 0.740, 0.756)),
        "f1": pytest.approx((0.822, 0.835, 0.848)),
    }
    ours = context.summary.row("vgg16", "finetune").intervals
    assert row.ours == {metric: ours[metric] for metric in printed}
    assert rows["ResNet-50, from scratch"].note == "reference 6 is He et al.: ResNet-50"
    assert rows["ResNet-50, from scratch"].printed["auroc"].estimate == 0.869


def test_unfinished_networks_and_others_have_no_printed_row(context: ReportContext) -> None:
    cells = [c for c in context.run.cells if c.fold != 0 or c.backbone != "vgg16"]
    run = context.run
    unfinished = replace(run, cells=tuple(cells))
    rows = poster_table_section(replace(context, run=unfinished)).numbers
    assert not [row for row in rows if row.label.startswith("VGG")]
    frozen = [c for c in run.cells if c.transfer == "frozen"]
    planned = [key for key in run.planned if key[1] == "frozen"]
    others = replace(run, cells=tuple(frozen), planned=tuple(planned))
    assert poster_table_section(replace(context, run=others)) is None


def test_the_order_of_the_posters_table_is_said(context: ReportContext) -> None:
    """It goes by accuracy and F1, and neither is the order of AUROC."""
    for letter in "ab":
        rows = [row for row in published_rows() if row.table == letter]
        for metric in ("accuracy", "f1"):
            printed = [getattr(row, metric).estimate for row in rows]
            assert printed == sorted(printed)
    area = [row.auroc.estimate for row in published_rows() if row.table == "a"]
    assert area != sorted(area)
    words = rendered(context, poster_table_section(context))
    assert "orders each part of its Table 1 by accuracy and F1" in words
    assert "go from worst to best AUROC" in words
