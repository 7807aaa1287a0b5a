"""How names of a table differ from those of files: by a suffix, a prefix, zeros or letters."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from urllib.parse import unquote

# Differences are sought for so many of the absent, evenly over the table: a cause concerns many.
_MAX_SOUGHT = 2000
_MAX_LISTED = 3
_MAX_NEIGHBOURS = 50
_MIN_DIGITS = 3
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def explain_other_ids(absent: Mapping[str, str], free: Mapping[str, str]) -> list[str]:
    """Say by what absent names differ from those of files that no row names.

    Args:
        absent: Names without a file, in one case -> as the table writes them.
        free: Stems of files that no row names, in one case -> as the files bear them.

    Returns:
        A sentence for each difference that several names share, the commonest first.

    >>> explain_other_ids({"a_1": "A_1"}, {"a_1_x": "a_1_x"})
    ["1 absent name differs from a file's only by '_x' behind it (first: 'A_1' and 'a_1_x')"]
    """
    sought = list(absent)[:: max(1, len(absent) // _MAX_SOUGHT)]
    names = _FreeNames(free)
    differences: Counter[str] = Counter()
    first: dict[str, tuple[str, str]] = {}
    for name in sought:
        if found := names.difference(name):
            differences[found[0]] += 1
            first.setdefault(found[0], (absent[name], free[found[1]]))
    said = []
    for difference, count in differences.most_common(_MAX_LISTED):
        # One name of many that is nearly a file's may be chance.
        if count > 1 or 20 * count >= len(sought):
            what = "1 absent name differs" if count == 1 else f"{count:,} absent names differ"
            if len(sought) < len(absent):
                what = f"{count:,} of {len(sought):,} absent names that were compared differ"
            name, file = first[difference]
            said.append(f"{what} from a file's only by {difference} (first: '{name}' and '{file}')")
    return said


class _FreeNames:
    """Names of files, sorted so that those near a name are found at once."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names
        self.forwards = sorted(names)
        self.backwards = sorted(name[::-1] for name in names)
        self.unpadded = {_ZEROS.sub("", name): name for name in names}
        self.letters = {form: name for name in names if (form := _letters(name))}
        self.numbers = {_digits(name): name for name in names}

    def difference(self, name: str) -> tuple[str, str] | None:
        """Return what tells `name` from the nearest file's name, and that name."""
        if longer := _starting_with(name, self.forwards):
            return f"'{longer[len(name) :]}' behind it", longer
        if longer := _starting_with(name[::-1], self.backwards)[::-1]:
            return f"'{longer[: -len(name)]}' before it", longer
        for cut in range(len(name) - 1, 0, -1):
            shorter, rest = name[:cut], name[cut:]
            if 3 * cut > len(name) and not rest[0].isalnum() and shorter in self.names:
                return f"'{rest}', which the table has behind it", shorter
            if 3 * cut < 2 * len(name) and not shorter[-1].isalnum() and rest in self.names:
                return f"'{shorter}', which the table has before it", rest
        if file := self.unpadded.get(_ZEROS.sub("", name)):
            return "leading zeros", file
        if file := self.letters.get(_letters(name)):
            return "blanks, accents and other signs among letters and digits", file
        digits = _digits(name)
        if digits and (file := self.numbers.get(digits)):
            return "what stands around the number", file
        return None


def _starting_with(name: str, ordered: list[str]) -> str:
    """Return the first of `ordered` that is `name` and more, "" if there is none."""
    place = bisect_left(ordered, name)
    for found in ordered[place : place + _MAX_NEIGHBOURS]:
        rest = found[len(name) :]
        if not found.startswith(name):
            break
        # "ISIC_1" is no beginning of "ISIC_12".
        if rest and not (rest[0].isdigit() and name[-1:].isdigit()):
            return found
    return ""


def _digits(name: str) -> str:
    """Return a name's number, which remains when programs change the rest; a short one is none."""
    digits = "".join(c for c in name if c.isdigit())
    return digits.lstrip("0") if len(digits) >= _MIN_DIGITS else ""


def _letters(name: str) -> str:
    """Return a name's letters and digits: "case%201", "case-1" and "case 1" have the same."""
    plain = unicodedata.normalize("NFKD", unquote(name))
    return _ZEROS.sub("", "".join(c for c in plain if c.isalnum()).casefold())
