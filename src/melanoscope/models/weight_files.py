"""Which files of a folder hold a backbone's weights: by its own name, or by torchvision's."""

from __future__ import annotations

import re
from pathlib import Path

from melanoscope.checksums import file_sha256
from melanoscope.errors import WeightsError
from melanoscope.models.backbones import Backbone

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".pth.tar", ".ckpt")

# torch.hub puts its downloads there, below what TORCH_HOME names.
_PLACES = (".", "checkpoints", "hub/checkpoints")
_HASHED = re.compile(r"(.+)-([0-9a-f]{8,64})")


def files_of(backbone: Backbone, folder: Path) -> list[Path]:
    """List the files of a folder that hold a backbone's weights by their names.

    Args:
        backbone: Entry of the registry.
        folder: Folder of weights; torch.hub's ``checkpoints`` below it is looked at too.

    Returns:
        Files of the backbone's name, or of torchvision's name of its ImageNet weights.

    Raises:
        WeightsError: There is no such folder, or it may not be read.
    """
    if not folder.is_dir():
        there = "a file" if folder.is_file() else "no folder"
        mend = "name the folder that holds it" if folder.is_file() else "check --weights"
        raise WeightsError("a folder of weights", f"{there} at '{folder}'", mend)
    stems: set[str] | None = None
    found = []
    for path in _weight_files(folder):
        stem = _stem(path)
        if stem.lower() == backbone.name:
            found.append(path)
        elif hashed := _HASHED.fullmatch(stem):
            stems = _torchvision_stems(backbone) if stems is None else stems
            if hashed[1].lower() in stems:
                found.append(path)
    return found


def what_lies_in(folder: Path) -> str:
    """Name the first files of weights in a folder, for an error."""
    names = [path.name for path in _weight_files(folder)]
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"none of it ({shown})" if names else "neither"


def check_hash(path: Path) -> None:
    """Compare a file with the sha256 that torchvision's name of it begins."""
    hashed = _HASHED.fullmatch(_stem(path))
    if hashed is None or path.suffix.lower() == ".safetensors":
        return
    found = file_sha256(path)
    if not found.startswith(hashed[2].lower()):
        raise WeightsError(
            f"'{path}' with the sha256 of its name ({hashed[2]}...)",
            f"{found[: len(hashed[2])]}...",
            "download it again, or give a file of your own another name",
        )


def _weight_files(folder: Path) -> list[Path]:
    try:
        places = [folder / place for place in _PLACES]
        listed = [path for place in places if place.is_dir() for path in sorted(place.iterdir())]
        return [path for path in listed if _stem(path) and path.is_file()]
    except PermissionError:
        raise WeightsError(
            f"a folder of weights at '{folder}'", "no permission to read it", "allow it"
        ) from None


def _stem(path: Path) -> str:
    """Return a file's name without a suffix of weights; empty for other files and hidden ones."""
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if path.name.lower().endswith(suffix) and not path.name.startswith("."):
            return path.name[: -len(suffix)]
    return ""


def _torchvision_stems(backbone: Backbone) -> set[str]:
    """Return the names of torchvision's ImageNet files of a backbone, without their hashes."""
    from torchvision import models

    stems = {backbone.name}
    try:
        known = models.get_model_weights(backbone.name)
    except ValueError:
        return stems
    for entry in known:
        # IMAGENET1K_FEATURES of VGG-16 expects colors of another normalization.
        hashed = _HASHED.fullmatch(entry.url.rsplit("/", 1)[1].removesuffix(".pth"))
        if hashed is not None and re.fullmatch(r"IMAGENET1K_V\d+", entry.name):
            stems.add(hashed[1].lower())
    return stems
