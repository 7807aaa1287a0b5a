"""The table of commands that are killed anywhere: what is built later adds its row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_NETWORK = ("--transfer", "scratch", "--size", "32", "--threads", "1")
_DATA = ("--data", "simulated=60")
_DRAWN = ("data", "summary", *_DATA)
_RUN = ("benchmark", *_DATA, *_NETWORK, "--folds", "2", "--epochs", "3")
_OUT = ("--out", "{root}/run")
_CNN = (*_RUN, "--backbones", "standard_cnn", *_OUT)
_REPORT = "call report_run"
_ROWS = 160  # five batches of a table


def _write_table(root: Path) -> None:
    """List the drawn photographs again and again, and two that cannot be answered."""
    folder = root / "cache"
    photographs = sorted(folder.glob("simulated-*/*.jpg"))
    names = [str(photographs[i % len(photographs)].relative_to(folder)) for i in range(_ROWS)]
    names[3], names[70] = "absent.jpg", str(folder)
    lines = [f"{name},{20 + i % 60},note {i}" for i, name in enumerate(names)]
    (folder / "table.csv").write_text("\n".join(["photograph,age,remark", *lines]) + "\n")


@dataclass(frozen=True)
class Command:
    """A row of the table.

    Attributes:
        name: Name of the row.
        words: The command line; "{root}" is the folder that everything is in. --out comes last.
        before: Commands that are run first, undisturbed.
        prepare: Called with the root after these.
        needs_bundle: Whether a bundle is to lie in "{root}/bundle".
        calls: Functions whose calls are points to be killed at, beside all changes of files.
        until: Event at which most attempts are cut off, since another row goes on from there.
        counted: Files, as a regular expression, that a series of attempts writes as often as an
            undisturbed run does: one for each finished cell, one for each epoch.
        short: Events of the short form, one after the other; "before" or "after" says when.
        refused: What a further attempt says, with status 1, once all that was asked for is there.
    """

    name: str
    words: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = (_DRAWN,)
    prepare: Callable[[Path], None] = lambda _: None
    needs_bundle: bool = False
    calls: tuple[str, ...] = (
        "melanoscope.data.pixel_files:PixelFiles.mark_done",
        "melanoscope.report.from_run:report_run",
    )
    until: str = ""
    counted: str = r"cells/[^/]+/(done\.json|training\.safetensors)$"
    short: tuple[str, ...] = ()
    refused: str = ""


DRAWING = Command("drawing", ("data", "summary", "--data", "simulated=24"), before=())
BENCHMARK = Command(
    "benchmark",
    _CNN,
    until=_REPORT,
    short=(
        "before rename cache/pixels",
        "before call mark_done",
        "before rename run/.catalog.parquet",
        "after rename run/cells/standard_cnn-scratch-r0-f0/.training.safetensors",
        "before rename run/cells/standard_cnn-scratch-r0-f0/.done.json",
        "before rename run/.predictions.parquet",
    ),
)
POSTER = Command(
    "poster", (*_RUN, "--backbones", "standard_cnn", "--protocol", "poster", *_OUT), until=_REPORT
)
FURTHER = Command(
    "further backbones",
    (*_RUN, "--backbones", "standard_cnn,squeezenet1_1", *_OUT),
    before=(_DRAWN, _CNN),
    until=_REPORT,
)
REPORT = Command("report", ("report", "{root}/run", "--replicates", "200"), before=(_DRAWN, _CNN))
AUDIT = Command(
    "audit",
    ("data", "audit", *_DATA, "--out", "{root}/audit"),
)
TRAIN = Command(
    "train",
    (
        *("train", "--data", "simulated=120", *_NETWORK, "--epochs", "3", "--no-int8"),
        *("--backbone", "standard_cnn", "--out", "{root}/bundle"),
    ),
    before=(("data", "summary", "--data", "simulated=120"),),
    calls=("melanoscope.export.bundle_writer:write_bundle",),
    until="call write_bundle",
    refused="a new or empty folder",
)
EXPORT = Command(
    "export",
    ("export", "{root}/run", "--backbone", "standard_cnn", "--out", "{root}/bundle"),
    before=(_DRAWN, _CNN),
    refused="a new or empty folder",
)
PREDICT = Command(
    "predict",
    (
        *("predict", "{root}/bundle", "--table", "{root}/cache/table.csv"),
        *("--out", "{root}/answers.csv"),
    ),
    prepare=_write_table,
    needs_bundle=True,
    calls=("melanoscope.inference.batch.resumable_csv:ResumableCsv.append",),
    short=("after call append", "after call append", "before rename .answers.csv.partial ->"),
    refused="one that is there already",
)

COMMANDS = (DRAWING, BENCHMARK, POSTER, FURTHER, FURTHER_SEEDS, REPORT, AUDIT, TRAIN, EXPORT, PREDICT)
