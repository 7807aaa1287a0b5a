"""DDI, Diverse Dermatology Images: 656 clinical photographs of all skin tones, biopsied."""

from __future__ import annotations

from pathlib import Path

from melanoscope.data.archive import Archive, ReadOptions, SourceTable
from melanoscope.data.sources.places import find_table_below
from melanoscope.data.sources.rows import source_table
from melanoscope.data.sources.stated_malignancy import place_diagnoses
from melanoscope.data.sources.text_table import read_table

TABLES = ("ddi_metadata.csv",)
COLUMNS = {
    "image_id": "DDI_file",
    "diagnosis": "disease",
    "malignancy": ("malignant", "malignancy(malig=1)"),
}


def read(folder: str | Path, _options: ReadOptions | None = None) -> SourceTable:
    """Read the archive's table, of its present edition or an older one, and its photographs."""
    table = find_table_below(folder, TABLES, "ddi", levels=1)
    text = read_table(table, COLUMNS)
    diagnosis, notes = place_diagnoses([text.frame["diagnosis"]], f"the diseases of '{table.name}'")
    return source_table(
        "ddi",
        text.frame.with_columns(diagnosis=diagnosis),
        table,
        folder=Path(folder),
        image_type="clinical",
        notes=(*text.notes, *notes),
    )


ARCHIVE = Archive(
    kind="ddi",
    title="DDI (Diverse Dermatology Images)",
    license="Stanford University research use agreement (non-commercial)",
    attribution="Daneshjou et al. 2022, doi:10.1126/sciadv.abq6147",
    read=read,
    table_names=TABLES,
    layout="ddi_metadata.csv and photographs 000001.png ... beside it",
    columns=("DDI_file", "malignant", "disease"),
)
