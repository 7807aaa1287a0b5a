"""melanoscope predict, as people call it and miscall it."""

from __future__ import annotations

import html
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from melanoscope.inference.bundle import MANIFEST
from tests.targets import strays

from .conftest import Call, answers


def test_one_photograph_is_answered_in_words(call: Call, small_bundle, simulated_photograph):
    status, out, err = call("predict", small_bundle, simulated_photograph, "--age", "45", "--force")
    assert (status, err) == (0, "")
    assert "not a medical device" in " ".join(out.lower().split())
    assert "simulated" in out.lower()
    assert "\x1b" not in out


def test_json_sums_to_the_logit(call: Call, small_bundle, simulated_photograph):
    status, out, _ = call(
        *("predict", small_bundle, simulated_photograph, "--json", "--force"),
        *("--age", 45, "--sex", "female", "--site", "torso"),
    )
    (answer,) = answers(out)
    assert status == 0
    evidence = answer["evidence"]
    parts = ("photograph", "age", "sex", "site", "bias")
    assert sum(evidence[part] for part in parts) == pytest.approx(evidence["logit"], abs=1e-9)
    assert np.sum(evidence["places"]) == pytest.approx(evidence["photograph"], abs=1e-3)
    assert answer["person"] == {"age": 45.0, "sex": "female", "site": "torso"}
    assert 0 < answer["probability"] < 1
    assert answer["decisions"][0]["key"] == "sensitivity_95"


@pytest.mark.parametrize("coded", [True, False])
def test_a_dicom_file_is_answered_as_its_photograph(
    call: Call, small_bundle, simulated_photograph, tmp_path, coded
):
    pytest.importorskip("pydicom")
    from tests.imaging import dicoms

    # As ISIC 2020 has them: the tag says YBR_FULL_422, whatever the pixels are.
    with Image.open(simulated_photograph) as image:
        photograph = image.convert("RGB")
    photograph.save(tmp_path / "photo.jpg", quality=95)
    frame, tag = (tmp_path / "photo.jpg").read_bytes(), "YBR_FULL_422"
    with Image.open(tmp_path / "photo.jpg") as image:
        pixels = np.asarray(image)
    (tmp_path / "photo.dcm").write_bytes(
        dicoms.coded([frame], photograph.size, tag, dicoms.JPEG)
        if coded
        else dicoms.native(pixels, tag)
    )
    logits = []
    for name in ("photo.jpg", "photo.dcm"):
        status, out, _ = call("predict", small_bundle, tmp_path / name, "--json", "--force")
        assert status == 0
        logits.append(answers(out)[0]["evidence"]["logit"])
    assert logits[1] == pytest.approx(logits[0], abs=1e-9 if coded else 0.05)


def test_the_terms_of_the_training_photographs_are_told(
    call: Call, small_bundle, simulated_photograph
):
    notice = json.loads((small_bundle / MANIFEST).read_text())["licence"]["notice"]
    words = ("predict", small_bundle, simulated_photograph, "--force")
    assert notice in call(*words)[1]
    assert json.loads(call(*words, "--json")[1])["bundle"]["licence"] == notice


def test_static_data_changes_the_answer(call: Call, small_bundle, simulated_photograph):
    def logit(*options):
        _, out, _ = call(
            "predict", small_bundle, simulated_photograph, "--json", "--force", *options
        )
        return answers(out)[0]["evidence"]["logit"]

    assert logit("--age", "20") != logit("--age", "80")


def test_a_stated_prevalence_moves_the_probability(call: Call, small_bundle, simulated_photograph):
    def one(*options):
        _, out, _ = call(
            "predict", small_bundle, simulated_photograph, "--json", "--force", *options
        )
        return answers(out)[0]

    low, high = one("--prevalence", "0.01"), one("--prevalence", "0.4")
    assert low["probability"] < high["probability"]
    assert low["evidence"]["logit"] == high["evidence"]["logit"]
    # The decision is about the photograph, not about where it is read.
    assert [d["positive"] for d in low["decisions"]] == [d["positive"] for d in high["decisions"]]


def test_explanations_are_pictures_and_a_page(
    call: Call, small_bundle, simulated_photograph, tmp_path
):
    status, out, _ = call(
        *("predict", small_bundle, simulated_photograph, "--explain", tmp_path / "why"),
        *("--json", "--force", "--steps", "8", "--baseline", "blurred"),
    )
    assert status == 0
    *pictures, page = answers(out)[0]["pictures"]
    assert len(pictures) >= 2
    for name in pictures:
        with Image.open(name) as image:
            assert image.format == "PNG"
            assert not image.getexif()
    assert page.endswith("-explanation.html")
    notice = json.loads((small_bundle / MANIFEST).read_text())["licence"]["notice"]
    assert notice in html.unescape(Path(page).read_text(encoding="utf-8"))


def test_equal_names_get_pictures_of_their_own(
    call: Call, small_bundle, simulated_photograph, tmp_path
):
    twins = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        twins.append(shutil.copy(simulated_photograph, tmp_path / folder / "lesion.jpg"))
    twins.append(shutil.copy(simulated_photograph, tmp_path / "lesion-2.jpg"))
    _, out, _ = call(
        *("predict", small_bundle, *twins, "--explain", tmp_path / "why"),
        *("--json", "--force", "--steps", "4"),
    )
    pictures = [set(one["pictures"]) for one in answers(out)]
    assert all(pictures)
    assert len(set.union(*pictures)) == sum(map(len, pictures))


BLOCKED = """
import sys
import time
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
sys.argv = ["melanoscope", "predict", *sys.argv[1:]]
from melanoscope.cli import main
main()
"""
TRAINING_ONLY = {
    *(
        "torch",
        "torchvision",
        "lightning_fabric",
        "captum",
        "scipy",
        "polars",
        "sklearn",
        "skimage",
        "onnx",
    ),
    *("matplotlib", "safetensors", "imagehash", "onnxscript", "timm"),
}


def test_predict_needs_the_base_install_only(small_bundle, simulated_photograph, tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-c", BLOCKED.format(names=TRAINING_ONLY)),
            *(small_bundle, simulated_photograph, "--json", "--force"),
            *("--explain", tmp_path / "why", "--steps", "4"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert answers(done.stdout)[0]["pictures"]


def test_predict_speaks_of_the_bundles_target_alone(
    call: Call, other_bundle, simulated_photograph, tmp_path
):
    record = json.loads((other_bundle / MANIFEST).read_text(encoding="utf-8"))
    target, twice = record["target"], (simulated_photograph, simulated_photograph)
    table = tmp_path / "photographs.csv"
    table.write_text(f"photograph,age\n{simulated_photograph},45\n", encoding="utf-8")
    out, why = tmp_path / "answers.csv", tmp_path / "why"
    runs = {
        "one": (simulated_photograph, "--force", "--explain", why, "--steps", 4),
        "several": (*twice, "--force"),
        "json": (simulated_photograph, "--force", "--json"),
        "table": ("--table", table, "--out", out, "--json"),
    }
    said = {}
    for name, words in runs.items():
        status, printed, err = call("predict", other_bundle, *words)
        assert (status, strays(printed + err)) == (0, []), name
        said[name] = printed
    (page,) = why.glob("*.html")
    assert strays(page.read_text(encoding="utf-8") + out.read_text(encoding="utf-8")) == []
    for name in ("one", "several"):
        assert f"photographs show {target['condition']}" in " ".join(said[name].split())
        assert record["prevalence_note"] in said[name]
    told = json.loads(said["json"])
    assert told["bundle"]["target"] == json.loads(said["table"])["target"] == target
    assert told["answers"][0]["target"] == target["name"]
    stated = call("predict", other_bundle, simulated_photograph, "--prevalence", "0.1")[1]
    assert record["prevalence_note"] not in stated
