"""How often the pixels of photographs tell RGB from YCbCr rightly, whatever a DICOM tag says.

    python benchmarks/dicom_colors.py FOLDER

Every photograph below FOLDER is shown to `is_ycbcr` twice, in RGB and in YCbCr, each time with the
tag that is right and with the one that is wrong.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from melanoscope.imaging.decode import SUFFIXES
from melanoscope.imaging.dicom_color import is_ycbcr

SIDE = 256


def main(folder: Path) -> None:
    """Count the photographs below `folder` that are taken for the other kind."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    wrong = {(mode, stated): 0 for mode in ("RGB", "YCbCr") for stated in (False, True)}
    for path in paths:
        with Image.open(path) as image:
            image.draft("RGB", (SIDE, SIDE))
            image.thumbnail((SIDE, SIDE))
            photograph = image.convert("RGB")
        for mode, stated in wrong:
            pixels = np.asarray(photograph.convert(mode))
            wrong[mode, stated] += is_ycbcr(pixels, stated) != (mode == "YCbCr")
    for (mode, stated), count in wrong.items():
        tag = "YBR_FULL" if stated else "RGB"
        print(f"stored {mode}, tagged {tag}: {count} of {len(paths)} taken for the other")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
