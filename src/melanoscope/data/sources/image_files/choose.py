"""Of several files that bear one name: which is the photograph, and which are copies or masks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from melanoscope.data.sources.image_files.folder_walk import ImageFile
from melanoscope.data.sources.image_files.names import (
    DICOM_SUFFIXES,
    RowName,
    is_camera_name,
    is_mask_folder,
    is_resized_folder,
    is_written_alike,
    key_of,
    split_file_name,
)
from melanoscope.data.sources.image_files.same_content import has_same_content, n_pixels, relation
from melanoscope.errors import DataError
from melanoscope.imaging.decode import why_unreadable
from melanoscope.imaging.whole_picture import is_mask, shows_the_same

# What a folder's name says is tried on so many of its files; if all agree it is believed.
_N_TRIED = 8
_MAX_SENTENCES = 3
_PLURAL = {
    "copy": "copies",
    "resized copy": "resized copies",
    "DICOM file": "DICOM files",
    "mask": "masks",
    "unreadable file": "unreadable files",
}

Decision = tuple[ImageFile, dict[ImageFile, str]]
"""The file taken, and why each other one is left."""


@dataclass
class Choice:
    """Chooses among files of one name, and counts why others were left.

    Attributes:
        root: The searched folder, for names in sentences.
        left: (reason, folder of the file taken, folder of the file left) -> photographs.
        refused: Pairs of files between which nothing decides.
    """

    root: str
    left: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    refused: list[tuple[ImageFile, ImageFile]] = field(default_factory=list)
    _verdicts: dict[frozenset[str], Counter[tuple[Any, ...]]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    _answers: dict[tuple[str, ...], Counter[bool]] = field(
        default_factory=lambda: defaultdict(Counter)
    )

    def among(self, files: Sequence[ImageFile], row: RowName, n_named: int) -> ImageFile | None:
        """Return the photograph among `files`, None where all are masks or nothing decides.

        Args:
            files: Files of one name; at least one.
            row: The name as a row writes it: of files alike it takes the one in its own case and
                format.
            n_named: How many of the folders above each file the row itself names: these say
                nothing about masks and copies.

        Returns:
            The photograph or None.
        """
        unnamed = {file: file.folders[: len(file.folders) - n_named] for file in files}
        rest, masks = _split(files, lambda file: is_mask_folder(unnamed[file]))
        if not rest:
            rest, masks = _split(masks, self._is_mask)
        if not rest:
            self._leave("mask", None, masks)
            return None
        rest, dicom = _unless_all(*_split(rest, lambda file: file.suffix in DICOM_SUFFIXES))
        rest, copies = _unless_all(*_split(rest, lambda file: is_resized_folder(unnamed[file])))
        rest = [file for file in rest if is_written_alike(file.stem, row.stem)] or rest
        rest = [file for file in rest if row.suffix and file.suffix == row.suffix] or rest
        taken = rest[0] if len(rest) == 1 else self._by_content(rest)
        if taken is None:
            return None
        for copy in copies:
            if not self._is_copy(copy, taken):
                self.refused.append((taken, copy))
                return None
        self._leave("mask", taken, masks)
        self._leave("DICOM file", taken, dicom)
        self._leave("resized copy", taken, copies)
        return taken

    def _by_content(self, files: Sequence[ImageFile]) -> ImageFile | None:
        """Decide by what the files hold, at the least cost first."""
        distinct: list[ImageFile] = []
        for file in files:
            twin = next((d for d in distinct if has_same_content(d.path, file.path)), None)
            if twin is None:
                distinct.append(file)
            else:
                self._leave("copy", twin, [file])
        if len(distinct) == 1:
            return distinct[0]
        decided = self._as_before(distinct) or self._by_pixels(distinct)
        if decided is None:
            return None
        taken, reasons = decided
        for file, reason in reasons.items():
            self._leave(reason, taken, [file])
        return taken

    def _by_pixels(self, files: Sequence[ImageFile]) -> Decision | None:
        """Decode the files and compare them; say of all but one why they are left."""
        rest, broken = _unless_all(*_split(files, _is_broken))
        rest, masks = _unless_all(*_split(rest, lambda file: is_mask(Path(file.path))))
        rest.sort(key=lambda file: -n_pixels(file.path))  # stable: first by name
        taken = rest[0]
        reasons = dict.fromkeys(broken, "unreadable file") | dict.fromkeys(masks, "mask")
        for other in rest[1:]:
            reason = relation(other.path, taken.path)
            if reason is None:
                self.refused.append((taken, other))
                return None
            reasons[other] = reason
        verdict = (self._place(taken), *sorted((self._place(f), r) for f, r in reasons.items()))
        self._verdicts[frozenset(map(self._place, files))][verdict] += 1
        return taken, reasons

    def _as_before(self, files: Sequence[ImageFile]) -> Decision | None:
        """Decide as between the same folders before, if that was always the same."""
        places = {self._place(file): file for file in files}
        verdicts = self._verdicts[frozenset(places)]
        if len(verdicts) != 1 or sum(verdicts.values()) < _N_TRIED or len(places) < len(files):
            return None
        taken_place, *left = next(iter(verdicts))
        taken = places[str(taken_place)]
        reasons = {places[place]: reason for place, reason in left}
        is_safe = not is_camera_name(key_of(taken.stem)) and all(
            reason == "mask" or (reason == "resized copy" and self._is_smaller(file, taken))
            for file, reason in reasons.items()
        )
        return (taken, reasons) if is_safe else None

    def _is_smaller(self, file: ImageFile, taken: ImageFile) -> bool:
        return 0 < n_pixels(file.path) < n_pixels(taken.path)

    def lies_among_masks(self, path: str) -> bool:
        """Whether a file, the only one of its name, is a mask in a folder in which masks lay."""
        places = {left for reason, _, left in self.left if reason == "mask"}
        if not places:
            return False
        file = ImageFile(path, (), *split_file_name(Path(path).name))
        if self._place(file) not in places or not self._is_mask(file):
            return False
        self._leave("mask", None, [file])
        return True

    def _is_mask(self, file: ImageFile) -> bool:
        """Whether a file in a folder of masks is one: photographs, too, lie in strange folders."""
        return self._tried(("mask", self._place(file)), lambda: is_mask(Path(file.path)))

    def _is_copy(self, copy: ImageFile, taken: ImageFile) -> bool:
        """Whether a file in a folder of copies is one: "300" may as well be a patient."""

        def try_it() -> bool:
            paths = Path(copy.path), Path(taken.path)
            return has_same_content(copy.path, taken.path) or shows_the_same(*paths)

        if is_camera_name(key_of(copy.stem)):
            return try_it() or _is_broken(copy)
        what = ("copy", self._place(copy), self._place(taken))
        return self._tried(what, try_it) or _is_broken(copy)

    def _tried(self, what: tuple[str, ...], try_it: Callable[[], bool]) -> bool:
        said = self._answers[what]
        if sum(said.values()) >= _N_TRIED and len(said) == 1:
            return next(iter(said))
        answer = try_it()
        said[answer] += 1
        return answer

    def _leave(self, reason: str, taken: ImageFile | None, left: Sequence[ImageFile]) -> None:
        for file in left:
            self.left[(reason, self._place(taken), self._place(file))] += 1

    def _place(self, file: ImageFile | None) -> str:
        """Name a file's folder, and its format where one folder holds both files."""
        if file is None:
            return ""
        return str(Path(file.path).parent.relative_to(self.root) / f"*{file.suffix}")

    def sentences(self) -> list[str]:
        """Say which files were taken and which were left, one sentence for each pair of folders."""
        said: list[str] = []
        for reason in dict.fromkeys(reason for reason, _, _ in self.left):
            places = [(pair, n) for (why, *pair), n in self.left.most_common() if why == reason]
            for (taken, left), count in places[:_MAX_SENTENCES]:
                what = f"{_times(count, reason)} left: '{left}'"
                said.append(f"{what}; taken: '{taken}'" if taken else f"{what}; none elsewhere")
            further = sum(count for _, count in places[_MAX_SENTENCES:])
            if further:
                said.append(f"{_times(further, reason)} left in other folders")
        return said

    def refuse(self) -> None:
        """Raise a `DataError` if two files bear a row's name and show different things."""
        if self.refused:
            taken, other = self.refused[0]
            more = f", and {len(self.refused) - 1:,} more such names" if self.refused[1:] else ""
            raise DataError(
                f"one photograph named '{taken.stem}'",
                f"'{taken.path}' and '{other.path}' of different content{more}",
                "remove one of them, or name its folder in the table",
            )


def _is_broken(file: ImageFile) -> bool:
    return why_unreadable(Path(file.path)) is not None


def _times(count: int, reason: str) -> str:
    return f"1 {reason}" if count == 1 else f"{count:,} {_PLURAL[reason]}"


def _split(
    files: Sequence[ImageFile], is_out: Callable[[ImageFile], bool]
) -> tuple[list[ImageFile], list[ImageFile]]:
    """Divide `files` into those to keep and those that `is_out`."""
    out = [file for file in files if is_out(file)]
    return [file for file in files if file not in out], out


def _unless_all(
    rest: list[ImageFile], out: list[ImageFile]
) -> tuple[list[ImageFile], list[ImageFile]]:
    """Keep those that are out where nothing else remains."""
    return (rest, out) if rest else (out, [])
