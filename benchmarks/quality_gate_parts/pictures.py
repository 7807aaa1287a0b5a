"""Pictures that no network of dermoscopy was trained on, and photographs spoilt on purpose.

All RGB arrays (h, w, 3) of uint8. Everyday photographs are those in the packages of scikit-image,
scikit-learn and matplotlib; screenshots and blank skin are drawn by a program; noise is noise.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import skimage
import sklearn
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from melanoscope.data.sources.simulated_scene import (
    apply_camera,
    apply_lighting,
    render_skin,
    sample_size,
)

Picture = NDArray[np.uint8]
Pictures = list[Picture]

_IMAGES = Path(skimage.__file__).parent / "data"
EVERYDAY = [
    *(_IMAGES / f"{name}.png" for name in ("astronaut", "coffee", "chelsea", "motorcycle_left")),
    *(_IMAGES / f"{name}.png" for name in ("camera", "coins", "moon", "grass", "gravel", "brick")),
    *(_IMAGES / "rocket.jpg", _IMAGES / "hubble_deep_field.jpg", _IMAGES / "clock_motion.png"),
    *(
        Path(sklearn.__file__).parent / "datasets" / "images" / f"{n}.jpg"
        for n in ("china", "flower")
    ),
    Path(mpl.__file__).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg",
]
MEDICAL = [_IMAGES / name for name in ("retina.jpg", "ihc.png", "microaneurysms.png", "cell.png")]
WORDS = (
    *("the", "patient", "was", "seen", "again", "after", "six", "weeks", "and", "melanoma"),
    *("could", "not", "be", "excluded", "report", "send", "share", "settings", "cancel"),
    *("search", "photograph", "age", "sex", "site", "upload", "12:45", "100 %", "battery"),
)


def read(path: Path | str) -> Picture:
    """Read a picture at its full size."""
    return np.asarray(Image.open(path).convert("RGB"))


def with_crops(paths: list[Path], rng: np.random.Generator, crops: int = 5) -> Pictures:
    """Read pictures, and cut squares of 30 to 80 % of the shorter side out of each."""
    found = []
    for path in paths:
        if not path.is_file():
            continue  # not in every version of its package
        whole = read(path)
        found.append(whole)
        for _ in range(crops):
            side = int(min(whole.shape[:2]) * rng.uniform(0.3, 0.8))
            y, x = (rng.integers(0, length - side + 1) for length in whole.shape[:2])
            found.append(whole[y : y + side, x : x + side])
    return found


def noise(rng: np.random.Generator, n: int) -> Pictures:
    """Uniform noise and normal noise in grains of 1 to 8 pixels."""
    found = []
    for number in range(n):
        grain = int(rng.choice([1, 2, 4, 8]))
        shape = (320 // grain, 320 // grain, 3)
        plain = (
            rng.integers(0, 256, shape)
            if number % 2
            else np.clip(rng.normal(128, rng.uniform(10, 60), shape), 0, 255)
        )
        found.append(plain.astype(np.uint8).repeat(grain, 0).repeat(grain, 1))
    return found


def skin_coloured_noise(rng: np.random.Generator, n: int) -> Pictures:
    """Smooth noise in colours of skin: the hardest that has no lesion."""
    found = []
    for _ in range(n):
        frequency = np.hypot(np.fft.fftfreq(320)[:, None], np.fft.rfftfreq(320))
        frequency[0, 0] = np.inf
        spectrum = rng.standard_normal(frequency.shape) + 1j * rng.standard_normal(frequency.shape)
        field = np.fft.irfft2(spectrum / frequency ** rng.uniform(0.5, 1.5), s=(320, 320))
        colour = np.array([190, 140, 120]) * rng.uniform(0.5, 1.2)
        bright = colour + (30 * field / field.std())[..., None] * np.array([1.0, 1.0, 0.93])
        found.append(np.clip(bright, 0, 255).astype(np.uint8))
    return found


def blank_simulated(rng: np.random.Generator, n: int) -> Pictures:
    """Simulated skin of all tones without a lesion."""
    found = []
    for _ in range(n):
        skin = render_skin(sample_size(rng), rng.uniform(), rng)
        found.append(apply_camera(apply_lighting(skin, rng), rng))
    return found


def screenshot(rng: np.random.Generator) -> Picture:
    """Draw a screen with a bar, some windows and text."""
    width, height = (720, 1280) if rng.random() < 0.5 else (1280, 800)
    dark = rng.random() < 0.3

    def colour(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(v) for v in rng.integers(low, high, 3))

    image = Image.new("RGB", (width, height), colour(15, 45) if dark else colour(235, 256))
    draw = ImageDraw.Draw(image)
    ink = (225, 225, 225) if dark else (25, 25, 30)
    draw.rectangle((0, 0, width, int(rng.integers(40, 110))), fill=colour(0, 256))
    for _ in range(int(rng.integers(1, 5))):
        x, y = int(rng.integers(0, width * 0.6)), int(rng.integers(100, height * 0.7))
        box = (
            x,
            y,
            x + int(rng.integers(150, width * 0.7)),
            y + int(rng.integers(80, height * 0.5)),
        )
        draw.rectangle(box, fill=colour(40, 90) if dark else colour(215, 256), outline=(128,) * 3)
        draw.rectangle((*box[:3], y + 28), fill=colour(0, 256))
    size = int(rng.integers(16, 40))
    for y in range(130, height - 60, int(size * 1.5)):
        line = " ".join(rng.choice(WORDS, int(width / (size * 3))))
        draw.text((20, y), line, font=ImageFont.load_default(size), fill=ink)
    return np.asarray(image)


def blurred(picture: Picture, sigma: float) -> Picture:
    """Blur by a Gaussian of a standard deviation in pixels."""
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(sigma)))


def exposed(picture: Picture, gain: float) -> Picture:
    """Multiply the light, not the values: gamma 2.2."""
    light = (picture / 255.0) ** 2.2 * gain
    return (255 * np.clip(light, 0, 1) ** (1 / 2.2) + 0.5).astype(np.uint8)


def shrunk(picture: Picture, side: int) -> Picture:
    """Make a thumbnail."""
    image = Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(image)
