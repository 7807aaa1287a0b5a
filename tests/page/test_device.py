"""The bundle on the device: the page's engine in a real Chromium, held against the predictor."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

import melanoscope
from melanoscope.imaging.open_image import UnreadableImageError
from melanoscope.inference.manifest import SCHEMA, seal_of
from tests.imaging import icc

from . import harness
from .golden_pictures import lesion
from .harness import Missing, Service, diagnose, opened, reload, square, text, wait

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

    from melanoscope.export.trained_model import TrainedModel
    from melanoscope.inference.predictor import Predictor

PATIENT = {"age": 45, "sex": "female", "site": "torso"}
# Where rounding moves an activation across 0 a gradient jumps: ONNX Runtime's optimised and plain
# graphs differ by as much of the largest value.
ROUNDING = 0.01


def test_the_page_computes_what_python_computes(tmp_path: Path) -> None:
    try:
        node = harness.node()
    except Missing as missing:
        pytest.skip(str(missing))
    golden = [sys.executable, "-m", "tests.page.golden", tmp_path]
    subprocess.run(golden, cwd=harness.WEB.parent, check=True)
    done = subprocess.run(
        [node, "node_modules/vitest/vitest.mjs", "run"],
        cwd=harness.WEB,
        env={**os.environ, "MELANOSCOPE_GOLDEN": str(tmp_path), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (harness.WEB / "package-lock.json").read_text()


@pytest.fixture(scope="module")
def service(predictor: Predictor, built_harness: Path) -> Iterator[Service]:
    one = Service(predictor, built_harness)
    one.start()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def page(browser: Browser, service: Service) -> Iterator[Page]:
    with opened(browser, service) as one:
        one.evaluate("harness.open()")
        yield one


def apart(found: object, expected: object, path: str = "answer") -> list[str]:
    """Name what differs: numbers by more than rounding, anything else at all."""
    if isinstance(expected, dict) and isinstance(found, dict):
        names = sorted(found.keys() | expected.keys())
        pairs = [(found.get(name), expected.get(name), f"{path}.{name}") for name in names]
    elif isinstance(expected, list | tuple) and isinstance(found, list):
        if len(found) != len(expected):
            return [f"{path}: {len(found)} instead of {len(expected)}"]
        pairs = [
            (a, b, f"{path}[{n}]") for n, (a, b) in enumerate(zip(found, expected, strict=True))
        ]
    elif isinstance(expected, float) and isinstance(found, int | float):
        far = abs(found - expected) > 1e-4 * max(1.0, abs(expected))
        return [f"{path}: {found} instead of {expected}"] if far else []
    else:
        return [] if found == expected else [f"{path}: {found!r} instead of {expected!r}"]
    return [one for pair in pairs for one in apart(*pair)]


def test_same_answers_to_simulated_lesions(
    page: Page, predictor: Predictor, small_subject: TrainedModel
) -> None:
    for path in small_subject.frame["path"][:20]:
        for force in (False, True):
            expected = predictor.diagnose(path, **PATIENT, force=force).to_dict()
            expected["bundle"] = predictor.bundle.fingerprint
            found = diagnose(page, Path(path).read_bytes(), PATIENT, force=force)
            assert apart(found, expected) == []


@pytest.mark.real
def test_same_answers_to_real_photographs(
    page: Page, predictor: Predictor, real_folder: Path
) -> None:
    archives = [path for path in sorted((real_folder / "lesions").iterdir()) if path.is_dir()]
    files = [file for one in archives for file in sorted(one.rglob("*.jpg"))[::15][:8]]
    assert len(files) >= 20
    for file in files:
        content = file.read_bytes()
        decoded = predictor.decode(content)
        pixels, size = square(page, content, predictor.bundle.image_size)
        assert size == (decoded.width, decoded.height)
        assert np.abs(pixels.astype(int) - decoded.pixels).max() <= 1
        expected = predictor.diagnose(content, **PATIENT, force=True).probability
        assert abs(diagnose(page, content, PATIENT)["probability"] - expected) <= 0.01


def drawn(width: int, height: int) -> Image.Image:
    """Draw a lesion with the noise of a camera."""
    image = Image.fromarray(lesion(1)).resize((width, height), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(0).normal(0, 3, (height, width, 3))
    return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def faded(image: Image.Image) -> Image.Image:
    layer = image.convert("RGBA")
    layer.putalpha(Image.linear_gradient("L").resize(image.size))
    return layer


P3 = icc.rgb_profile(icc.DISPLAY_P3, icc.srgb_curve())
FORMATS: dict[str, tuple[Callable[[], bytes], int]] = {
    "PNG": (lambda: saved(drawn(211, 160), "PNG"), 0),
    "BMP": (lambda: saved(drawn(160, 211), "BMP"), 0),
    "WebP": (lambda: saved(drawn(211, 160), "WEBP", quality=90), 1),
    "JPEG, chroma halved": (lambda: saved(drawn(211, 160), "JPEG", quality=90), 1),
    "JPEG, progressive": (lambda: saved(drawn(211, 160), "JPEG", progressive=True), 1),
    "JPEG, grey": (lambda: saved(drawn(211, 160).convert("L"), "JPEG"), 1),
    "JPEG, CMYK": (lambda: saved(drawn(211, 160).convert("CMYK"), "JPEG"), 2),
    "JPEG without its end marker": (lambda: saved(drawn(211, 160), "JPEG", quality=90)[:-2], 1),
    "JPEG with bytes behind it": (lambda: saved(drawn(211, 160), "JPEG") + bytes(5000), 1),
    "WebP, black below": (lambda: saved(black_below(), "WEBP", quality=90, method=0), 1),
    "BMP, black below": (lambda: saved(black_below().resize((160, 120)), "BMP"), 0),
    "PNG, palette": (lambda: saved(drawn(211, 160).quantize(32), "PNG"), 0),
    "PNG, alpha": (lambda: saved(faded(drawn(211, 160)), "PNG"), 2),
    "WebP, alpha": (lambda: saved(faded(drawn(211, 160)), "WEBP", lossless=True), 3),
    "PNG, Display P3": (lambda: saved(drawn(211, 160), "PNG", icc_profile=P3), 3),
    "JPEG, Display P3": (lambda: saved(drawn(211, 160), "JPEG", icc_profile=P3), 2),
    "PNG, broken profile": (lambda: saved(drawn(211, 160), "PNG", icc_profile=b"x" * 200), 0),
    # Pillow has libjpeg decode these at 1/2, 1/4 and 1/8; so does the page, with the same integers.
    "JPEG at 1/2": (lambda: saved(drawn(401, 303), "JPEG", quality=90, subsampling=0), 0),
    "JPEG at 1/4": (lambda: saved(drawn(603, 801), "JPEG", quality=90), 0),
    "JPEG at 1/8": (lambda: saved(drawn(4001, 3001), "JPEG", quality=90), 0),
    "JPEG at 1/8, Display P3": (lambda: saved(drawn(1601, 1203), "JPEG", icc_profile=P3), 2),
    "JPEG at 1/4, CMYK": (lambda: saved(drawn(603, 801).convert("CMYK"), "JPEG"), 4),
    **{
        f"{kind}, turned {n}": (
            lambda kind=kind, n=n: saved(drawn(211, 163), kind, exif=turned(n)),
            1,
        )
        for kind, orientations in (("JPEG", range(1, 9)), ("PNG", (6,)), ("WEBP", range(1, 9)))
        for n in orientations
    },
    **{
        f"JPEG at 1/4, turned {n}": (lambda n=n: saved(drawn(806, 603), "JPEG", exif=turned(n)), 0)
        for n in (2, 3, 5, 6, 7, 8)
    },
}


@pytest.mark.parametrize("name", FORMATS)
def test_same_pixels(page: Page, predictor: Predictor, name: str) -> None:
    make, most = FORMATS[name]
    content = make()
    decoded = predictor.decode(content)
    pixels, size = square(page, content, predictor.bundle.image_size)
    assert size == (decoded.width, decoded.height)
    difference = np.abs(pixels.astype(int) - decoded.pixels)
    assert difference.max() <= most
    assert difference.mean() <= 0.6
    expected = predictor.diagnose(content, force=True).probability
    assert abs(diagnose(page, content)["probability"] - expected) <= 0.01


def bomb() -> bytes:
    """A PNG of 30,000 x 30,000 pixels, as its head says."""
    content = bytearray(saved(Image.new("1", (1, 1)), "PNG"))
    content[16:24] = (30_000).to_bytes(4) * 2
    return bytes(content)


def zeros_end(content: bytes) -> bytes:
    """Put zeros in the place of the second half, as a download that reserves its room does."""
    return content[: len(content) // 2 + 100].ljust(len(content), b"\0")


def black_below() -> Image.Image:
    """A picture that WebP codes with a thousand zeros at the end of the file."""
    image = drawn(640, 480)
    image.paste("black", (0, 240, 640, 480))
    return image


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty"),
    "text": (lambda: b"<script>alert(1)</script>", "no photograph"),
    "video": (lambda: b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(200), "video"),
    "GIF": (lambda: saved(drawn(64, 64), "GIF"), "no photograph"),
    "half a JPEG": (lambda: saved(drawn(211, 160), "JPEG")[:3000], "not whole"),
    "half a PNG": (lambda: saved(drawn(211, 160), "PNG")[:30000], "broken"),
    "half a WebP": (lambda: saved(drawn(211, 160), "WEBP")[:2000], "broken"),
    **{
        f"zeros end a {kind}": (lambda kind=kind: zeros_end(saved(drawn(211, 160), kind)), said)
        for kind, said in (
            *(("JPEG", "not whole"), ("PNG", "broken")),
            *(("WEBP", "not whole"), ("BMP", "not whole"), ("AVIF", "not whole")),
        )
    },
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_as_by_python(page: Page, predictor: Predictor, name: str) -> None:
    make, said = BAD[name]
    content = make()
    with pytest.raises(UnreadableImageError):
        predictor.decode(content)
    found = page.evaluate("a => harness.errorOf({content: a})", text(content))
    assert found["kind"] == "photograph"
    assert said in found["message"]


def test_what_browsers_cannot_read_is_said(page: Page) -> None:
    found = page.evaluate("a => harness.errorOf({content: a})", text(saved(drawn(64, 64), "TIFF")))
    assert found["kind"] == "format"
    assert "cannot read TIFF" in found["message"]


def test_what_is_too_large_is_not_opened(page: Page) -> None:
    found = page.evaluate("a => harness.errorOf({content: a})", text(bomb()))
    assert found["kind"] == "large"
    assert "30000 x 30000 pixels, more than 89 million" in found["message"]


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ({"patient": {"age": 130, "sex": "female", "site": "torso"}}, {}),
        ({"patient": {"age": 30, "sex": "x", "site": "torso"}}, {}),
        ({}, {"prevalence": 1}),
    ],
)
def test_what_cannot_be_is_refused(page: Page, asked: dict[str, Any], options: Any) -> None:
    asked = {"content": text(saved(drawn(211, 160), "PNG")), **asked}
    found = page.evaluate("a => harness.errorOf(...a)", [asked, {"force": True, **options}])
    assert found["kind"] == "patient"


@pytest.mark.parametrize("baseline", ["black", "blurred", "mean skin"])
def test_integrated_gradients(
    page: Page, predictor: Predictor, simulated_photograph: Path, baseline: Any
) -> None:
    content = simulated_photograph.read_bytes()
    expected = predictor.explain(content, baseline=baseline)
    asked = [{"content": text(content)}, {"baseline": baseline}]
    found = page.evaluate("a => harness.explain(...a)", asked)
    assert (found["method"], found["baseline"]) == ("gradients", baseline)
    assert found["steps"] == expected.steps
    assert abs(found["difference"] - expected.difference) < 1e-4
    largest = np.abs(expected.pixels).max()
    assert np.abs(np.array(found["values"]) - expected.pixels).max() <= ROUNDING * largest
    assert found["shares"] == sorted(found["shares"])
    assert found["shares"][-1] == 1


def test_the_map_of_evidence(page: Page, predictor: Predictor, simulated_photograph: Path) -> None:
    content = simulated_photograph.read_bytes()
    expected = predictor.diagnose(content, force=True).evidence
    assert expected is not None
    asked = [{"content": text(content)}, {"method": "evidence"}]
    found = page.evaluate("a => harness.explain(...a)", asked)
    assert np.allclose(found["values"], expected.places, atol=1e-5)
    assert abs(found["difference"] - expected.photograph) < 1e-4


def test_an_explanation_can_be_stopped(page: Page, simulated_photograph: Path) -> None:
    asked = {"content": text(simulated_photograph.read_bytes())}
    started = time.monotonic()
    page.evaluate("a => harness.explain(a, {steps: 64})", asked)
    few = time.monotonic() - started
    started = time.monotonic()
    assert page.evaluate("a => harness.abort(a, 2048)", asked) == "AbortError"
    assert page.evaluate("a => harness.errorOf(a)", asked) is None
    # 32 times as many steps would be done first, were it not heard.
    assert time.monotonic() - started < 8 * few + 1


KEPT = """async () => {
    const found = [];
    for (const name of await caches.keys()) {
        for (const one of await (await caches.open(name)).keys()) found.push([name, one.url]);
    }
    return found;
}"""


def test_the_photograph_stays_on_the_device(
    page: Page, predictor: Predictor, service: Service, simulated_photograph: Path
) -> None:
    wait(page, "harness.kept() === 'ready'")
    content = simulated_photograph.read_bytes()
    page.evaluate("a => harness.explain({content: a}, {steps: 257})", text(content))
    before = page.evaluate(KEPT)
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    diagnose(page, content, PATIENT)
    page.evaluate("a => harness.explain({content: a}, {steps: 257})", text(content))
    assert asked == []
    assert page.evaluate(KEPT) == before
    files = predictor.bundle.manifest.files
    graphs = [f"v1/bundle/files/{n}.onnx?v={files[f'{n}.onnx'].sha256}" for n in GRAPHS]
    urls = {url.removeprefix(service.url) for _, url in before}
    assert urls - {"", *graphs, "v1/bundle"} == {url for url in urls if url.startswith("assets/")}
    assert {"", *graphs, "v1/bundle"} <= urls


GRAPHS = ("model", "gradient")
ONLY_BUNDLE = """async (wanted) =>
    (await caches.keys()).filter((name) => name.includes("bundle")).join() === wanted"""


def test_without_a_connection_after_the_first_visit(
    browser: Browser, predictor: Predictor, built_harness: Path, simulated_photograph: Path
) -> None:
    content = simulated_photograph.read_bytes()
    service = Service(predictor, built_harness)
    service.start()
    with opened(browser, service) as page:
        wait(page, "harness.kept() === 'ready'")
        service.stop()
        page.context.set_offline(True)
        reload(page)
        expected = predictor.diagnose(content, **PATIENT, force=True).probability
        assert abs(diagnose(page, content, PATIENT)["probability"] - expected) <= 0.01
        asked = [{"content": text(content)}, {"steps": 257}]
        assert page.evaluate("a => harness.explain(...a)", asked)["method"] == "gradients"
        wait(page, "harness.kept() === 'ready'")


def test_another_bundle_replaces_the_kept_one(
    browser: Browser, predictor: Predictor, built_harness: Path, tmp_path: Path, small_bundle: Path
) -> None:
    service = Service(predictor, built_harness)
    service.start()
    with opened(browser, service) as page:
        wait(page, "harness.kept() === 'ready'")
        service.stop()
        service.predictor = melanoscope.load(renamed(small_bundle, tmp_path / "other"), threads=1)
        service.start()
        reload(page)
        assert page.evaluate("harness.open()")["record"]["network"]["label"] == "Other"
        fingerprint = service.predictor.bundle.fingerprint
        wait(page, ONLY_BUNDLE, f"melanoscope-bundle-{fingerprint}")
        service.stop()
        reload(page)
        assert page.evaluate("harness.open()")["fingerprint"] == fingerprint


def test_another_page_is_offered_and_taken(
    browser: Browser, predictor: Predictor, built_harness: Path, tmp_path: Path
) -> None:
    service = Service(predictor, built_harness)
    service.start()
    with opened(browser, service) as page:
        wait(page, "harness.kept() === 'ready'")
        service.stop()
        service.page = shutil.copytree(
            built_harness, tmp_path / "page", ignore=shutil.ignore_patterns("*.gz")
        )
        worker, index = service.page / "sw.js", service.page / "index.html"
        worker.write_text(worker.read_text().replace('{"build":"', '{"build":"new'))
        index.write_text(index.read_text().replace("Harness", "New harness"))
        service.start()
        reload(page)
        wait(page, "harness.update()")
        assert page.title() == "Harness of the device"  # the old page, until it is told to go
        with page.expect_navigation():
            page.evaluate("harness.apply()")
        assert page.title() == "New harness of the device"
        wait(page, "!!window.harness")
        names = page.evaluate("caches.keys()")
        assert len([name for name in names if name.startswith("melanoscope-page-new")]) == 1
        assert len([name for name in names if name.startswith("melanoscope-page-")]) == 1
    service.stop()


def renamed(bundle: Path, folder: Path) -> Path:
    """Copy a bundle under another name of its network."""
    shutil.copytree(bundle, folder)
    record = json.loads((folder / "bundle.json").read_text())
    record["network"]["label"] = "Other"
    record["seal"] = seal_of(record)
    (folder / "bundle.json").write_text(json.dumps(record))
    return folder


def changed_byte(route: Route) -> None:
    body = bytearray(route.fetch().body())
    body[len(body) // 2] ^= 1
    route.fulfill(body=bytes(body), content_type="application/octet-stream")


def newer_schema(route: Route) -> None:
    info = route.fetch().json()
    info["record"]["schema"] = SCHEMA + 1
    route.fulfill(json=info)


@pytest.mark.parametrize(
    ("where", "changed", "kind", "said"),
    [
        ("**/model.onnx*", changed_byte, "bundle", "arrived changed"),
        ("**/model.onnx*", lambda route: route.fulfill(body=b"short"), "bundle", "arrived changed"),
        ("**/v1/bundle", newer_schema, "bundle", f"schema {SCHEMA + 1}"),
        ("**/v1/bundle", lambda route: route.fulfill(body="<html>"), "bundle", "cannot be read"),
        ("**/v1/bundle", lambda route: route.fulfill(status=503), "network", "503"),
        ("**/v1/bundle", lambda route: route.abort(), "network", "cannot be reached"),
    ],
)
def test_a_changed_bundle_is_refused(
    browser: Browser, service: Service, where: str, changed: Any, kind: str, said: str
) -> None:
    with opened(browser, service, service_workers="block") as page:
        page.context.route(where, changed)
        found = page.evaluate("harness.errorOf({content: ''})")
        assert found["kind"] == kind
        assert said in found["message"]
