"""The state of a training between two epochs: kept in one file, so that a kill costs one epoch.

Weights, the best epoch's weights, Adam's moments and the states of all random generators are
tensors; epochs, losses and the schedule are JSON in the header of the same safetensors file. One
file is replaced in one step, so that no part of it can be older than another. A training that goes
on from it gives the same weights, to the bit, as one that was never stopped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins import Precision
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Generator, Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from melanoscope.atomic import atomic_path
from melanoscope.models.tensor_hash import tensor_hash
from melanoscope.training.early_stopping import EarlyStopping

_VERSION = 1  # of the form of the file


@dataclass(frozen=True)
class StateFile:
    """Where a training keeps its state, and which training it is.

    Attributes:
        path: The file; it need not be there.
        identity: Hash of all that the training depends on. A file of another is passed over.
    """

    path: Path
    identity: str


@dataclass(eq=False)
class TrainingState:
    """Everything of a training that changes from epoch to epoch.

    Attributes:
        network: Network that is trained.
        adam: Its optimizer.
        plateau: Schedule of the learning rate.
        stopping: Best epoch so far, with its weights.
        generators: Generators of shuffling and augmentation, by name.
        precision: Plugin of mixed precision, which may scale gradients.
        history: One row per finished epoch.
        seconds: Wall-clock time of the finished epochs.
        resumed_after: Epochs after which the training was taken up again.
    """

    network: nn.Module
    adam: torch.optim.Adam
    plateau: ReduceLROnPlateau
    stopping: EarlyStopping
    generators: Mapping[str, Generator]
    precision: Precision
    history: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0
    resumed_after: list[int] = field(default_factory=list)

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.history)

    def save(self, file: StateFile) -> None:
        """Write the state after an epoch; what `file` held before is replaced."""
        tensors = self._tensors()
        plain = {
            "version": _VERSION,
            "identity": file.identity,
            "history": self.history,
            "seconds": self.seconds,
            "resumed_after": self.resumed_after,
            "stopping": [self.stopping.best_epoch, self.stopping.lowest_loss],
            "plateau": self.plateau.state_dict(),
            "learning_rates": [group["lr"] for group in self.adam.param_groups],
            "precision": self.precision.state_dict(),
        }
        text = json.dumps(plain)
        metadata = {"state": text, "hash": _hash(tensors, text)}
        # Not forced onto the disk: what a power cut leaves is found out by its hash.
        with atomic_path(file.path, sync=False) as partial:
            save_file(tensors, partial, metadata=metadata)

    def restore(self, file: StateFile) -> bool:
        """Take up the state of `file`; return whether there was one, whole and of this training."""
        read = _read(file)
        if read is None:
            return False
        tensors, plain = read
        self.network.load_state_dict(_below("network/", tensors))
        self.adam.load_state_dict(self._adam_state(_below("adam/", tensors)))
        for group, rate in zip(self.adam.param_groups, plain["learning_rates"], strict=True):
            group["lr"] = rate
        self.plateau.load_state_dict(plain["plateau"])
        best = _below("best/", tensors) or _below("network/", tensors)
        self.stopping.best_epoch, self.stopping.lowest_loss = plain["stopping"]
        self.stopping.weights = best
        if plain["precision"]:
            self.precision.load_state_dict(plain["precision"])
        self.history[:] = plain["history"]
        self.seconds = plain["seconds"]
        self.resumed_after = [*plain["resumed_after"], self.epoch]
        self._restore_generators(_below("generator/", tensors))
        return True

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {f"network/{name}": one for name, one in self.network.state_dict().items()}
        if self.stopping.best_epoch != self.epoch:  # else they are the network's
            tensors |= {f"best/{name}": one for name, one in self.stopping.weights.items()}
        for index, moments in self.adam.state_dict()["state"].items():
            tensors |= {f"adam/{index}/{name}": one for name, one in moments.items()}
        states = {name: one.get_state() for name, one in self.generators.items()}
        states["torch"] = torch.get_rng_state()
        if torch.cuda.is_available():
            states["cuda"] = torch.cuda.get_rng_state()
        tensors |= {f"generator/{name}": one for name, one in states.items()}
        return {name: one.detach().cpu().contiguous() for name, one in tensors.items()}

    def _adam_state(self, moments: Mapping[str, Tensor]) -> dict[str, Any]:
        state: dict[int, dict[str, Tensor]] = {}
        for key, tensor in moments.items():
            index, name = key.split("/")
            state.setdefault(int(index), {})[name] = tensor
        return {"state": state, "param_groups": self.adam.state_dict()["param_groups"]}

    def _restore_generators(self, states: Mapping[str, Tensor]) -> None:
        for name, generator in self.generators.items():
            generator.set_state(states[name])
        torch.set_rng_state(states["torch"])
        if torch.cuda.is_available() and "cuda" in states:
            torch.cuda.set_rng_state(states["cuda"])


def _read(file: StateFile) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Read a state that is whole and of this training; anything else is as good as none."""
    try:
        with safe_open(file.path, framework="pt") as stored:
            metadata = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        text = metadata["state"]
        plain: dict[str, Any] = json.loads(text)
        whole = metadata["hash"] == _hash(tensors, text)
    except (OSError, SafetensorError, ValueError, KeyError, RuntimeError):
        return None
    known = (plain["version"], plain["identity"]) == (_VERSION, file.identity)
    return (tensors, plain) if whole and known else None


def _hash(tensors: Mapping[str, Tensor], text: str) -> str:
    return tensor_hash({**tensors, "state": torch.tensor(list(text.encode()), dtype=torch.uint8)})


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name[len(prefix) :]: one for name, one in tensors.items() if name.startswith(prefix)}
