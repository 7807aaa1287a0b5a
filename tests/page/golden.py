"""Numbers of the Python package that the page's own arithmetic is held against.

    python -m tests.page.golden FOLDER

writes one JSON file for each module of `web/src/device`; `web/test` reads them. Pixels are base64.
All photographs are drawn.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.page import golden_answers as answers
from tests.page import golden_files as files
from tests.page.golden_patients import patients

MADE = (
    *(answers.quality, answers.texts, answers.probabilities, answers.answers, answers.gradients),
    *(files.resample, files.kinds, files.heads, files.torn, files.turns, files.jpegs, patients),
)


def write(folder: Path) -> None:
    """Write all files."""
    for make in MADE:
        text = json.dumps(make(), allow_nan=False)
        (folder / f"{make.__name__}.json").write_text(text)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
