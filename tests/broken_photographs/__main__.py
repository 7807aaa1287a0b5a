"""Writes the corpus into a folder, with index.json: what is right of each file.

python -m tests.broken_photographs FOLDER [--seed 0] [--small]
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from . import corpus, small_corpus


def main() -> None:
    """Write, and count what was written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    entries = (small_corpus if options.small else corpus)(options.seed)
    index = []
    for entry in entries:
        path = entry.put(options.folder)
        index.append({"file": path.name, "kind": entry.kind, "right": entry.right.value})
    (options.folder / "index.json").write_text(json.dumps(index, indent=1) + "\n")
    for kind, count in Counter(entry.kind for entry in entries).most_common():
        print(f"{count:5} {kind}")
    print(f"{len(entries):5} files")


if __name__ == "__main__":
    main()
