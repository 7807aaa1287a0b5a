"""What the one reader of tables costs: rows a second and memory, beside the csv module alone.

    python benchmarks/tables.py [--rows 10000000] [--json FILE]

Each reading is a process of its own, so that its peak of memory is its own. The csv module alone is
told encoding and delimiter, and neither checks rows nor numbers lines: it is the floor. A second
pass through `read_table` shows what an archive of 400,000 rows and 55 columns costs.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WIDE_ROWS, WIDE_COLUMNS = 400_000, 55


def csv_alone(path: Path) -> int:
    """Count the rows as the csv module finds them."""
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def one_reader(path: Path) -> int:
    """Count the rows of `open_table`, found and checked."""
    from melanoscope.tables.table_file import open_table

    return sum(1 for _ in open_table(path).rows())


def archive_columns(path: Path) -> int:
    """Read twelve columns into a data frame, as an archive's reader does."""
    from melanoscope.data.sources.text_table import read_table

    return read_table(path, {f"c{n}": f"c{n}" for n in range(12)}).frame.height


def measure(read: Callable[[Path], int], path: Path, rows: int) -> dict[str, Any]:
    """Read in a process of its own; return rows a second and the peak of memory in MiB."""
    context = multiprocessing.get_context("spawn")
    results: Any = context.Queue()
    process = context.Process(target=_measure, args=(read, path, results))
    process.start()
    counted, seconds, peak, before = results.get()
    process.join()
    if counted != rows:
        raise SystemExit(f"{read.__name__} counted {counted} rows of {rows}")
    return {
        "reading": read.__name__,
        "file": path.name,
        "rows": rows,
        "seconds": round(seconds, 2),
        "rows_per_second": round(rows / seconds),
        "peak_mib": round(peak, 1),
        "mib_before": round(before, 1),
    }


def _measure(read: Callable[[Path], int], path: Path, results: Any) -> None:
    # The first reading imports what it takes; a table of one row suffices.
    small = path.with_name("small.csv")
    read(small)
    before = _peak()
    started = time.perf_counter()
    counted = read(path)
    results.put((counted, time.perf_counter() - started, _peak(), before))


def _peak() -> float:
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def write_long(path: Path, rows: int) -> None:
    """Write a table as `predict --table` takes it."""
    with gzip.open(path, "wt") if path.suffix == ".gz" else path.open("w") as file:
        file.write("photograph,age,sex,site,note\n")
        file.writelines(f"images/ISIC_{n:07d}.jpg,{n % 90},female,torso,n\n" for n in range(rows))


def write_wide(path: Path, rows: int) -> None:
    """Write a table as wide as ISIC 2024's."""
    cells = ",".join(["0.12345678"] * (WIDE_COLUMNS - 1))
    with path.open("w") as file:
        file.write(",".join(f"c{n}" for n in range(WIDE_COLUMNS)) + "\n")
        file.writelines(f"ISIC_{n:07d},{cells}\n" for n in range(rows))


def main() -> None:
    """Draw the tables, read them and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_wide(folder / "small.csv", 1)
        write_long(folder / "long.csv", options.rows)
        for read in (csv_alone, one_reader):
            found.append(measure(read, folder / "long.csv", options.rows))
        (folder / "long.csv").unlink()
        write_long(folder / "long.csv.gz", options.rows // 10)
        found.append(measure(one_reader, folder / "long.csv.gz", options.rows // 10))
        write_wide(folder / "wide.csv", WIDE_ROWS)
        for read in (csv_alone, one_reader, archive_columns):
            found.append(measure(read, folder / "wide.csv", WIDE_ROWS))
    for one in found:
        print(
            f"{one['reading']:16s} {one['file']:12s} {one['rows']:>10,} rows "
            f"{one['seconds']:7.2f} s {one['rows_per_second']:>10,} rows/s "
            f"{one['peak_mib']:7.1f} MiB ({one['mib_before']:.1f} before)"
        )
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
