"""Reads a file of tensors, safetensors or PyTorch's own, and says in a line what it is otherwise.

What a file holds decides, not its suffix. Of PyTorch's files only tensors and plain containers are
taken: nothing else in a pickle is executed, and the advice in PyTorch's errors to allow that stays
here.
"""

from __future__ import annotations

import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from melanoscope.errors import WeightsError
from melanoscope.file_kinds import PACKED_KINDS, FileKind, read_file_kind
from melanoscope.machine_faults import machine_fault

# Where training scripts keep the state dict within what they save.
_NESTED = ("state_dict", "model_state_dict", "model", "net", "weights")
_AROUND = ("checkpoint", "ckpt", *_NESTED)
_MAX_LEVELS = 4
# The largest backbones have 2 GiB with an optimizer's state; more is no file of theirs.
_MAX_BYTES = 4 * 2**30

# PyTorch and safetensors answer broken files with any of these.
_BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SafetensorError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    struct.error,
    zipfile.BadZipFile,
)
_READ_ANEW = "copy or download the file again"
_OF_TENSORS = (FileKind.SAFETENSORS, FileKind.PICKLE, FileKind.ZIP)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a state dict, also where it lies inside a checkpoint's dict.

    Args:
        path: File of safetensors or of `torch.save`.

    Returns:
        Tensors by name, on the processor.

    Raises:
        WeightsError: The file is absent, torn, something else, or holds more than tensors.
    """
    try:
        kind, size = read_file_kind(path), path.stat().st_size
    except OSError as error:
        raise WeightsError(f"tensors at '{path}'", _reason(error), "check the path") from None
    if kind in _OF_TENSORS and size > _MAX_BYTES:
        raise _too_large(path, size)
    if kind is FileKind.SAFETENSORS:
        return _read_safetensors(path)
    if kind is FileKind.PICKLE or (kind is FileKind.ZIP and _is_torch_zip(path)):
        return _state_dict(path, _read_pickle(path))
    if kind is None:
        raise WeightsError(
            f"tensors (safetensors or torch.save) at '{path}'",
            "a file of another kind, or a broken one",
            _READ_ANEW,
        )
    raise WeightsError(
        f"tensors (safetensors or torch.save) at '{path}'",
        str(kind),
        kind.mend("unpack it" if kind in PACKED_KINDS else "put the file of weights itself there"),
    )


def refuse_non_finite(state: Mapping[str, Tensor], origin: str) -> None:
    """Raise a WeightsError that names the first tensor that makes NaN of every photograph."""
    for name, tensor in state.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            count = int((~torch.isfinite(tensor)).sum())
            raise WeightsError(
                f"finite numbers in '{origin}'",
                f"NaN or infinity in '{name}' ({count} of {tensor.numel()} values)",
                "use the weights of a training that did not diverge, or another copy",
            )
        if name.endswith("running_var") and (tensor < 0).any():
            raise WeightsError(
                f"variances of at least 0 in '{origin}'",
                f"{float(tensor.min()):g} in '{name}'",
                "use another copy of the weights",
            )


def _too_large(path: Path, size: int) -> WeightsError:
    return WeightsError(
        f"at most {_MAX_BYTES / 2**30:.0f} GiB of tensors at '{path}'",
        f"{size / 2**30:.1f} GiB",
        "save the network's state_dict() alone",
    )


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except _BROKEN as error:
        if fault := machine_fault(error, path.parent):
            raise fault from None
        reason = _reason(error) if isinstance(error, OSError) else None
        raise WeightsError(
            f"a whole safetensors file at '{path}'", reason or "a torn or broken one", _READ_ANEW
        ) from None


def _is_torch_zip(path: Path) -> bool:
    """Whether a zip is one of `torch.save`; a WeightsError where it is torn or TorchScript."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            size = sum(entry.file_size for entry in archive.infolist())
    except _BROKEN:
        raise WeightsError(
            f"a whole file of weights at '{path}'",
            "a torn one (a zip archive, as torch.save writes, without its end)",
            _READ_ANEW,
        ) from None
    if size > _MAX_BYTES:
        raise _too_large(path, size)  # packed: torch.save does not, and it would be unpacked
    if any(name.endswith("/constants.pkl") for name in names):
        raise WeightsError(
            f"a state dict (names and tensors) at '{path}'",
            "a TorchScript program",
            "save its state_dict() in PyTorch and name that file",
        )
    return any(name.endswith("/data.pkl") for name in names)


def _read_pickle(path: Path) -> Any:
    try:
        # An open file: of a path torch would believe the suffix.
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # The name of what was refused is a file's own word: it is quoted only where it is a name.
        named = re.search(r"(?:GLOBAL|class|function) ([A-Za-z_][\w.]{0,80})", str(error))
        what = f" ({named[1]})" if named else ""
        raise WeightsError(
            f"tensors and nothing else at '{path}'",
            f"a pickle of other Python objects{what}, which is not executed",
            "save the network's state_dict() alone, best as safetensors",
        ) from None
    except _BROKEN as error:
        if fault := machine_fault(error, path.parent):
            raise fault from None
        reason = "a torn or broken one"
        raise WeightsError(f"a whole file of weights at '{path}'", reason, _READ_ANEW) from None


def _state_dict(path: Path, content: Any) -> dict[str, Tensor]:
    """Find names and tensors in what a file held; counters and texts beside them are let go."""
    expected = f"a state dict (names and tensors) at '{path}'"
    for _ in range(_MAX_LEVELS):
        if not isinstance(content, Mapping):
            break
        # A script may keep a tensor, such as a count, beside the state dict.
        if _holds_tensors(content) and not any(map(_holds_tensors, content.values())):
            return _named_tensors(expected, content)
        inside = [key for key in _NESTED if _holds_tensors(content.get(key))]
        inside = inside or [key for key, value in content.items() if _holds_tensors(value)]
        inside = inside or [key for key in _AROUND if isinstance(content.get(key), Mapping)]
        if len(inside) > 1:
            raise WeightsError(
                f"one state dict at '{path}'",
                " and ".join(f"'{str(key)[:80]}'" for key in inside),
                "save the one that is meant alone",
            )
        if not inside:
            break
        content = content[inside[0]]
    what = f"an object of type {type(content).__name__}"
    if isinstance(content, Mapping):
        keys = ", ".join(f"'{str(key)[:80]}'" for key in list(content)[:3])
        what = f"no tensor, but {keys}" if keys else "no tensor at all"
    raise WeightsError(expected, what, "save the network's state_dict()")


def _named_tensors(expected: str, content: Mapping[Any, Any]) -> dict[str, Tensor]:
    state = {name: value for name, value in content.items() if isinstance(value, Tensor)}
    strange = next((name for name in state if not isinstance(name, str)), None)
    if strange is not None:
        raise WeightsError(
            expected, f"a tensor under {strange!r:.80}, no name", "save the network's state_dict()"
        )
    return state


def _holds_tensors(value: Any) -> bool:
    return isinstance(value, Mapping) and any(isinstance(v, Tensor) for v in value.values())


def _reason(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "no file"
    if isinstance(error, IsADirectoryError):
        return "a folder"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    return type(error).__name__ if not isinstance(error, OSError) else (error.strerror or "OSError")
