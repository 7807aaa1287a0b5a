"""Events of one process: the calls that change files below a folder, counted as they come.

Python announces each of them to audit hooks (PEP 578) before it is carried out, in every library,
so that a process can be ended between a write and its rename without a hook in the product.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_NO_FOLDER = -1

Carry = Callable[[], object]
"""Carries an event out; for those that audit hooks announce."""
OnEvent = Callable[[str, str, Carry], None]
"""Called before an event with what is done, the files below the folder, and `Carry`."""


class Watch:
    """Announces each event below `root` to `on_event`, one at a time."""

    def __init__(self, root: str, on_event: OnEvent) -> None:
        self._root = f"{Path(root).resolve()}/"
        self._on_event = on_event
        self._lock = threading.RLock()
        self._busy = threading.local()

    def start(self) -> None:
        """Watch from now on, for as long as the process lives."""
        sys.addaudithook(self._hook)

    def wrap(self, name: str) -> None:
        """Announce each call of a function, named as "module:Class.function"."""
        module, _, path = name.partition(":")
        owner: Any = importlib.import_module(module)
        *classes, function = path.split(".")
        for part in classes:
            owner = getattr(owner, part)
        inner = getattr(owner, function)

        @functools.wraps(inner)
        def announced(*args: Any, **options: Any) -> Any:
            self._announce(f"call {function}", "", lambda: inner(*args, **options))
            return inner(*args, **options)

        setattr(owner, function, announced)

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            self._opened(*args)
        elif event == "os.rename":
            source, target, source_folder, target_folder = args
            self._files(
                "rename",
                [(source, source_folder), (target, target_folder)],
                lambda: os.replace(
                    source,
                    target,
                    src_dir_fd=_descriptor(source_folder),
                    dst_dir_fd=_descriptor(target_folder),
                ),
            )
        elif event in ("os.remove", "os.rmdir"):
            path, folder = args
            act = os.remove if event == "os.remove" else os.rmdir
            self._files(
                event.removeprefix("os."),
                [(path, folder)],
                lambda: act(path, dir_fd=_descriptor(folder)),
            )
        elif event == "os.mkdir":
            path, mode, folder = args
            self._files(
                "mkdir",
                [(path, folder)],
                lambda: os.mkdir(path, mode, dir_fd=_descriptor(folder)),
            )
        elif event == "os.truncate":
            path, length = args
            if not isinstance(path, int):
                self._files("truncate", [(path, _NO_FOLDER)], lambda: os.truncate(path, length))

    def _opened(self, path: Any, _mode: object, flags: Any) -> None:
        if isinstance(path, int) or not isinstance(flags, int) or not flags & _WRITES:
            return
        self._files("open", [(path, _NO_FOLDER)], lambda: os.close(os.open(path, flags, 0o666)))

    def _files(self, what: str, files: list[tuple[Any, Any]], carry: Carry) -> None:
        if getattr(self._busy, "now", False):
            return
        paths = [_absolute(path, folder) for path, folder in files]
        below = [path[len(self._root) :] for path in paths if path.startswith(self._root)]
        if below:
            self._announce(what, " -> ".join(below), carry)

    def _announce(self, what: str, where: str, carry: Carry) -> None:
        with self._lock:
            self._busy.now = True
            try:
                self._on_event(what, where, carry)
            finally:
                self._busy.now = False


def _descriptor(folder: object) -> int | None:
    return folder if isinstance(folder, int) and folder != _NO_FOLDER else None


def _absolute(path: Any, folder: object) -> str:
    name, descriptor = Path(os.fsdecode(path)), _descriptor(folder)
    if descriptor is not None:
        name = Path(f"/proc/self/fd/{descriptor}").resolve() / name
    # The links on the way are followed, not the last one: it is what is renamed or removed.
    return str(name.parent.resolve() / name.name)
