"""The names of a table's columns: trimmed, each once, without blank ones at the end."""

from __future__ import annotations

from collections.abc import Sequence

from melanoscope.errors import DataError
from melanoscope.tables.dialect import plain


def column_names(header: Sequence[str], where: str) -> tuple[str, ...]:
    """Return the names of the columns of a `header`.

    A first column without a name, as pandas and R write the rows' numbers, stays as "". Columns
    without names at the end are no columns.

    Args:
        header: Cells of the table's first row.
        where: The table as error texts name it.

    Returns:
        The names as written, trimmed.

    Raises:
        DataError: Two columns of one name, whatever their case.

    >>> column_names(["", " Path ", "target", "", ""], "'x.csv'")
    ('', 'Path', 'target')
    """
    # Marks that nobody sees: of byte order, once more within a text, and blanks of no width.
    names = [name.strip("\ufeff\u200b \t\r\n\xa0").strip() for name in header]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise DataError(f"names of columns in the first row of {where}", "none", "add a header")
    first: dict[str, int] = {}
    for position, name in enumerate(names, 1):
        if name and first.setdefault(plain(name), position) != position:
            twin = first[plain(name)]
            raise DataError(
                f"one column '{names[twin - 1]}' in {where}",
                f"two, columns {twin} and {position}",
                "rename or remove one of them",
            )
    return tuple(names)


def find_column(columns: Sequence[str], names: str | Sequence[str]) -> int | None:
    """Return the index of the first of `names` that is a column, in any case; None if none is.

    >>> find_column(["Image", "Age"], ["age", "age_approx"])
    1
    """
    places = {plain(column): index for index, column in enumerate(columns) if column}
    wanted = (names,) if isinstance(names, str) else names
    return next((places[plain(name)] for name in wanted if plain(name) in places), None)
