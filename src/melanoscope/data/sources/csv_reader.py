"""What every archive's reader needs: its table as text, its folder as names of photographs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars as pl

from melanoscope.data.archive import ROW_SCHEMA
from melanoscope.data.sources.image_files import find_image_files
from melanoscope.data.vocabulary import translate_diagnoses
from melanoscope.errors import DataError, nearest
from melanoscope.patient import parse_age, parse_sex, parse_site


def find_table(folder: str | Path, names: Sequence[str], kind: str) -> Path:
    """Return the first of the tables `names` that the `folder` of the archive `kind` holds."""
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"the folder of {kind}", f"no folder at '{folder}'", "check the path")
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DataError(
        f"{' or '.join(names)} in '{folder}'",
        "neither" if len(names) > 1 else "no such file",
        f"put the table of {kind} beside its photographs",
    )


def read_table(
    path: Path, columns: Mapping[str, str], optional: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """Read a CSV as text; `columns` and `optional`, which may lack, map our names to the file's."""
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"a CSV table at '{path}'", reason, "check the file") from None
    for name in columns.values():
        if name not in frame.columns:
            raise DataError(
                f"a column '{name}' in '{path}'",
                f"none so named ({nearest(name, frame.columns)})",
                "rename or add it",
            )
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None, pl.String)).alias(ours)
        for ours, name in {**columns, **(optional or {})}.items()
    )


def catalog_rows(raw: pl.DataFrame, dataset: str, table: Path) -> pl.DataFrame:
    """Bring an archive's text columns to `ROW_SCHEMA`, under the name `dataset`."""
    # `raw` has image_id, diagnosis, sex, age and site; patient_id and lesion_id if the archive has
    # them; and path, unless files beside or below `table` bear the name of their image_id.
    if "path" not in raw.columns:
        raw = raw.with_columns(path=find_image_files(table.parent, raw["image_id"]).paths)
    nobody = pl.repeat(None, raw.height, dtype=pl.String, eager=True)
    diagnosis = translate_diagnoses(raw["diagnosis"], f"the diagnoses of '{table.name}'")
    rows = {
        "image_id": raw["image_id"],
        "path": raw["path"],
        "dataset": pl.repeat(dataset, raw.height, eager=True),
        "patient_id": _blank_to_null(raw.get_column("patient_id", default=nobody)),
        "lesion_id": _blank_to_null(raw.get_column("lesion_id", default=nobody)),
        **patient_columns(raw["sex"], raw["age"], raw["site"], table),
        "diagnosis": diagnosis,
        "target": diagnosis == "melanoma",
    }
    return pl.DataFrame(rows).cast(pl.Schema(ROW_SCHEMA))


def parse_targets(column: pl.Series, table: Path) -> pl.Series:
    """Read targets of 0 and 1, also as "0.0" and "1.0"."""
    text = column.str.strip_chars().replace({"0.0": "0", "1.0": "1"})
    target = text.cast(pl.Int8, strict=False)
    invalid = column.filter(~target.is_in([0, 1]).fill_null(value=False))
    if len(invalid):
        raise DataError(f"target 0 or 1 in '{table.name}'", f"'{invalid[0]}'", "correct the column")
    return target


def add_targets(rows: pl.DataFrame, target: pl.Series) -> pl.DataFrame:
    """Give `rows` their `target`, and a diagnosis that says what the target alone does."""
    benign = pl.col("diagnosis").replace("unknown", "unknown benign")
    diagnosis = pl.when(target == 1).then(pl.lit("melanoma")).otherwise(benign)
    return rows.with_columns(target=target, diagnosis=diagnosis)


def patient_columns(
    sexes: pl.Series, ages: pl.Series, sites: pl.Series, path: Path
) -> dict[str, pl.Series]:
    """Read an archive's words as `melanoscope.patient` does, into the columns sex, age and site."""
    return {
        "sex": _parsed(sexes, parse_sex, f"the sexes of '{path.name}'", pl.String()),
        "age": _parsed(ages, parse_age, f"the ages of '{path.name}'", pl.Float64()),
        "site": _parsed(sites, parse_site, f"the sites of '{path.name}'", pl.String()),
    }


def _parsed(
    column: pl.Series,
    parse: Callable[[str | None], str | float | None],
    what: str,
    dtype: pl.DataType,
) -> pl.Series:
    """Parse each distinct value of a column once."""
    text = column.cast(pl.String)
    values = text.unique(maintain_order=True)
    try:
        parsed = [parse(value) for value in values]
    except DataError as error:
        raise DataError(f"{error.expected} in {what}", error.found, error.mend) from None
    return text.replace_strict(values, pl.Series(parsed, dtype=dtype), return_dtype=dtype)


def _blank_to_null(column: pl.Series) -> pl.Series:
    """Turn blank identifiers into nulls, so that "nobody" is not one large patient."""
    clean = column.cast(pl.String).str.strip_chars()
    return clean.replace(["", "unknown"], [None] * 2)
