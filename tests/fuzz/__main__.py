"""Runs one target for a bounded time; exits with 1 where it found something.

python -m tests.fuzz TARGET [--seconds 60] [--folder runs/fuzz]
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import atheris

from .targets import INSTRUMENTED, MODULES, TARGETS

HANG_SECONDS, MEMORY_MB, LONGEST = 10, 2048, 65_536
_EACH = 3  # files kept of one finding


def main() -> None:
    """Fuzz in a process of its own, which libFuzzer ends, and tell what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--folder", type=Path, default=Path("runs/fuzz"))
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = options.folder / options.target
    found = folder / "found"
    if options.child:
        fuzz(options.target, folder, options.seconds)
    found.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    child = subprocess.run([sys.executable, "-m", "tests.fuzz", *sys.argv[1:], "--child"])
    new = sorted(set(found.iterdir()) - before)
    for path in new:
        if path.suffix == ".txt":
            print(path.read_text().splitlines()[-1], f"({path})")
    print(f"{options.target}: {len(new)} files in {found}" if new else f"{options.target}: nothing")
    sys.exit(1 if new or child.returncode else 0)


def fuzz(target: str, folder: Path, seconds: int) -> None:
    """Instrument, write seeds, fuzz; a hang or too much memory ends it."""
    corpus, found, seeds = (folder / name for name in ("corpus", "found", "seeds"))
    for each in (corpus, found):
        each.mkdir(parents=True, exist_ok=True)
    # Only what is imported here for the first time is followed.
    with atheris.instrument_imports(include=INSTRUMENTED[target]):
        for module in MODULES[target]:
            importlib.import_module(module)
    from .seeds import write_seeds

    write_seeds(target, seeds)
    flags = {
        "max_total_time": seconds,
        "timeout": HANG_SECONDS,
        "rss_limit_mb": MEMORY_MB,
        "max_len": LONGEST,
        "artifact_prefix": f"{found}/",
        "print_final_stats": 1,
    }
    words = [sys.argv[0], *(f"-{name}={value}" for name, value in flags.items())]
    atheris.Setup([*words, str(corpus), str(seeds)], _keeping(TARGETS[target], found))
    atheris.Fuzz()


def _keeping(run: Callable[[bytes], None], found: Path) -> Callable[[bytes], None]:
    """Keep what raises, and go on: one finding is not to hide the next."""
    counts: dict[str, int] = {}

    def kept(data: bytes) -> None:
        try:
            run(data)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            frames = traceback.extract_tb(error.__traceback__)
            ours = [frame for frame in frames if "melanoscope" in frame.filename] or frames
            place = f"{type(error).__name__}-{Path(ours[-1].filename).stem}-{ours[-1].lineno}"
            counts[place] = counts.get(place, 0) + 1
            if counts[place] <= _EACH:
                name = f"{place}-{hashlib.sha256(data).hexdigest()[:8]}"
                (found / name).write_bytes(data)
                (found / f"{name}.txt").write_text("".join(traceback.format_exception(error)))

    return kept


if __name__ == "__main__":
    main()
