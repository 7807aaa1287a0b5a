"""PH2: 200 dermoscopic photographs of Hospital Pedro Hispano, with masks and expert criteria."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from melanoscope.data.archive import Archive, ReadOptions, SourceTable
from melanoscope.data.sources.places import find_table_below
from melanoscope.data.sources.rows import source_table
from melanoscope.errors import DataError

TABLES = ("PH2_dataset.txt",)
# The column "Clinical Diagnosis" has codes; words stand only below the table.
DIAGNOSES = {"0": "common nevus", "1": "atypical nevus", "2": "melanoma"}
# The code stands two cells behind the id, whether a row begins with bars or not.
_CODE = 2


def read(folder: str | Path, _options: ReadOptions | None = None) -> SourceTable:
    """Read the archive's table, whose cells stand between double bars, and its photographs."""
    table = find_table_below(folder, TABLES, "ph2", levels=1)
    text = table.read_bytes().decode("utf-8-sig", errors="replace")
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        cells = [cell.strip() for cell in line.split("||")]
        place = next((i for i, cell in enumerate(cells) if re.fullmatch(r"IMD\d+", cell)), None)
        if place is None:
            continue
        name, *about = cells[place:]
        code = about[_CODE - 1] if len(about) >= _CODE else ""
        if code not in DIAGNOSES:
            raise DataError(
                f"a clinical diagnosis 0, 1 or 2 in '{table.name}'",
                f"'{code}' in line {number}",
                "take the table as it was published",
            )
        rows.append((name, DIAGNOSES[code], number))
    if not rows:
        raise DataError(
            f"rows such as '|| IMD003 || ... || 0 ||' in '{table}'",
            "none",
            "take the table as it was published",
        )
    raw = pl.DataFrame(rows, schema=["image_id", "diagnosis", "line"], orient="row")
    return source_table("ph2", raw, table, folder=Path(folder), image_type="dermoscopic")


ARCHIVE = Archive(
    kind="ph2",
    title="PH2",
    license="research and education only (terms of the ADDI project)",
    attribution="Mendonça et al. 2013, doi:10.1109/EMBC.2013.6610779",
    read=read,
    table_names=TABLES,
    layout="PH2_dataset.txt, photographs at PH2 Dataset images/IMD003/IMD003_Dermoscopic_Image",
    columns=("Name", "Clinical Diagnosis"),
    leaks=(
        *("Histological Diagnosis", "Asymmetry", "Pigment Network", "Dots/Globules", "Streaks"),
        *("Regression Areas", "Blue-Whitish Veil", "Colors"),
    ),
)
