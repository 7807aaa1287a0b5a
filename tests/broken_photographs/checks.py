"""One check for each route, over a folder of entries: the short and the long tests share them."""

from __future__ import annotations

import csv
import time
from pathlib import Path

from .entry import Entry
from .routes import Folder, accounted, ids_of, is_right, outcome, same

SECONDS = 10.0  # for one file, on a busy machine


def check_decoder(entries: tuple[Entry, ...], folder: Path) -> None:
    """Decode each file by itself: right, and soon."""
    wrong, slow = [], []
    for entry in entries:
        path = entry.put(folder)
        started = time.process_time()
        found = outcome(path)
        if time.process_time() - started > SECONDS:
            slow.append(entry.name)
        if not is_right(entry, found):
            wrong.append((entry.kind, entry.name, entry.right.name, found[1]))
    assert not wrong
    assert not slow


def check_summary(folder: Folder, cache: Path) -> None:
    """`data summary` names each unreadable file, with its reason."""
    from melanoscope.data.summary import find_unreadable, summarize

    catalog = folder.catalog(cache)
    good, entries = ids_of(folder)
    unreadable = find_unreadable(catalog)
    accounted(entries, unreadable, catalog.ids_without_file)
    assert not set(good) & set(unreadable)
    listed = summarize(catalog, unreadable)["unreadable"]
    assert {row["image_id"]: row["reason"] for row in listed} == unreadable


def check_store(folder: Folder, cache: Path) -> None:
    """The pixel store drops no row, and good photographs have the pixels that they have alone."""
    from melanoscope.data.pixel_store import open_pixel_store

    catalog = folder.catalog(cache)
    good, entries = ids_of(folder)
    store = open_pixel_store(catalog, 64, cache)
    accounted(entries, store.unreadable, catalog.ids_without_file)
    named = {*store.row_of, *store.unreadable, *catalog.ids_without_file}
    assert named == {*good, *entries}
    for name, file in zip(good, folder.good, strict=True):
        assert same(store.pixels[store.row_of[name]], folder.path / file)


def check_audit(folder: Folder, cache: Path) -> None:
    """`data audit` names the same files."""
    from melanoscope.audit.audit import run_audit

    catalog = folder.catalog(cache)
    good, entries = ids_of(folder)
    audit = run_audit(catalog, cache)
    accounted(entries, audit.unreadable, catalog.ids_without_file)
    read = audit.photographs + audit.absent + len(audit.unreadable)
    assert read == len(good) + len(entries)


def check_table(folder: Folder, predictor, out: Path) -> None:
    """`predict --table` has a row for each, and the good rows as without the broken ones."""
    from melanoscope.inference.batch.run import diagnose_table

    diagnose_table(predictor, folder.table, out, force=True)
    rows = _rows(out)
    good, entries = ids_of(folder)
    assert [row["image_id"] for row in rows] == [*good, *entries]
    failed = {row["image_id"]: row["error"] for row in rows if row["status"] == "failed"}
    accounted(entries, failed, ())
    lines = folder.table.read_text(encoding="utf-8").splitlines(keepends=True)
    alone = folder.path / "alone.csv"
    alone.write_text("".join(lines[: len(good) + 1]), encoding="utf-8")
    diagnose_table(predictor, alone, out.with_name("alone.csv"), force=True)
    assert rows[: len(good)] == _rows(out.with_name("alone.csv"))


def check_service(folder: Folder, client) -> None:
    """Over HTTP each file has an answer or a problem, and the good ones always the same answer."""
    good = (folder.path / folder.good[0]).read_bytes()
    first = _ask(client, good)
    assert first.status_code == 200
    before = first.json()
    for entry in folder.entries:
        if entry.content is None or len(entry.content) > 20_000_000:
            continue
        response = _ask(client, entry.content)
        assert response.status_code in (200, 422), (entry.name, response.text)
        found = (None, response.json()["found"]) if response.status_code == 422 else (b"", "")
        # Neither who sent it nor how it is called is repeated; pixels do not leave.
        if found[0] is None or entry.right.name == "REFUSED":
            assert is_right(_without_words(entry), found), (entry.name, response.text)
    after = _ask(client, good).json()
    assert after == before


def check_benchmark(folder: Folder, cache: Path) -> None:
    """`benchmark` trains on the good ones and names the others."""
    from melanoscope.benchmark.config import BenchmarkConfig
    from melanoscope.benchmark.dataset import prepare_dataset
    from melanoscope.data.sources import parse_spec
    from melanoscope.progress import RunProgress

    good, entries = ids_of(folder)
    data = (parse_spec(f"table={folder.table}"),)
    config = BenchmarkConfig(data, ("resnet18",), ("scratch",), folds=2, image_size=128)
    with RunProgress() as progress:
        dataset = prepare_dataset(config, cache, progress)
    accounted(entries, dataset.unreadable, dataset.catalog.ids_without_file)
    assert set(good) <= set(dataset.usable.frame["image_id"])


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _ask(client, content: bytes):
    data = {"force": "true"}
    return client.post("/v1/diagnoses", files={"photograph": ("p", content)}, data=data)


def _without_words(entry: Entry) -> Entry:
    """What a service says of its own limits is other than what an archive is told."""
    return Entry(entry.kind, entry.name, entry.right, entry.content, entry.like)
