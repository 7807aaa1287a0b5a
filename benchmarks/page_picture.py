"""The page with its answer to a drawn lesion, as a picture for the README.

    make page runs/drawn/bundle
    python benchmarks/page_picture.py runs/drawn/bundle docs/page.png

Takes Chromium and playwright. A bundle that did not learn from drawn lesions is refused: its answer
to a drawing would mean nothing and look like something.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from melanoscope.errors import BundleError
from melanoscope.inference.predictor import load
from melanoscope.service.server import PAGE

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.page import golden_pictures, harness

WIDTH, HEIGHT, SIDE = 1280, 2100, 160
SHOWN = 900  # pixels of width in the README


def drawn(number: int) -> bytes:
    """Draw a lesion as a square PNG."""
    lesion = golden_pictures.lesion(number)
    top, left = ((size - SIDE) // 2 for size in lesion.shape[:2])
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(lesion[top:, left:][:SIDE, :SIDE])).save(file, "PNG")
    return file.getvalue()


def main() -> None:
    """Ask for an answer and its explanation, and keep what is seen of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--lesion", type=int, default=3)
    args = parser.parse_args()
    predictor = load(args.bundle)
    if not predictor.bundle.manifest.data.simulated:
        raise BundleError("a bundle of drawn lesions", "another", "make runs/drawn/bundle")
    service = harness.Service(predictor, PAGE)
    service.start()
    with harness.chromium() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(service.url)
        page.wait_for_selector("text=are kept on this device")
        content = drawn(args.lesion)
        page.set_input_files(
            "#file", {"name": "drawn.png", "mimeType": "image/png", "buffer": content}
        )
        page.fill("#age", "58")
        page.check("input[name=sex][value=female]")
        page.select_option("#site", "torso")
        page.click("#submit")
        page.wait_for_selector("#answer-heading")
        if page.locator("#force").count():
            raise SystemExit(page.inner_text("#answer"))
        page.click("#explain")
        page.wait_for_selector("#gradients-picture")
        page.wait_for_timeout(800)  # until it has scrolled to the answer
        page.evaluate("document.querySelector('.go').style.position = 'static'")
        page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
        page.mouse.move(0, 0)
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    service.stop()
    small = picture.resize((SHOWN, HEIGHT * SHOWN // WIDTH), Image.Resampling.LANCZOS)
    small.save(args.out, optimize=True)


if __name__ == "__main__":
    main()
