"""A bundle of another target than melanoma: its thresholds, its share, its card, its words."""

from __future__ import annotations

import json
from dataclasses import replace

import polars as pl
import pytest
from msgspec.structs import replace as with_

from melanoscope.export.bundle_writer import ExportSettings
from melanoscope.export.manifest import assumed_prevalence, describe_origin
from melanoscope.export.model_card import model_card
from melanoscope.export.thresholds import RULES, rules_for
from melanoscope.inference.bundle import CARD, MANIFEST, open_bundle
from melanoscope.inference.manifest import BundleManifest
from melanoscope.runs.results import PREVALENCE
from melanoscope.target import MALIGNANT, MELANOMA, custom_target
from tests.inference.manifests import merged, record_of
from tests.targets import IDS, OTHERS, strays

from .cards import check_markdown


def of_target(subject, target):
    return replace(subject, config=replace(subject.config, target=target))


def card_of(target, **changes):
    record = merged(record_of(), {"target": target.to_dict(), **changes})
    return " ".join(model_card(BundleManifest.from_dict(record)).split())


def test_a_bundle_speaks_of_its_target_alone(other_bundle):
    manifest = open_bundle(other_bundle).manifest
    plural = manifest.target.plural
    card = (other_bundle / CARD).read_text(encoding="utf-8")
    assert f"of them {plural}" in card
    assert f"probability of {manifest.target.condition}" in card
    assert strays(card) == []
    check_markdown(card)
    record = json.loads((other_bundle / MANIFEST).read_text(encoding="utf-8"))
    del record["data"]["diagnoses"]
    assert strays(json.dumps(record, indent=0)) == []
    assert all(plural in threshold.meaning for threshold in manifest.thresholds)


def test_the_bundle_assumes_the_share_of_its_training_photographs_and_says_so(
    small_subject, other_bundle
):
    manifest = open_bundle(other_bundle).manifest
    share = small_subject.arrays.targets[small_subject.split.train].mean()
    assert manifest.prevalence == pytest.approx(share)
    assert {threshold.prevalence for threshold in manifest.thresholds} == {manifest.prevalence}
    card = " ".join((other_bundle / CARD).read_text(encoding="utf-8").split())
    assert f"{100 * share:.1f} %: the share among the photographs" in card


@pytest.mark.parametrize("target", [MELANOMA, *OTHERS])
def test_a_stated_share_needs_no_note(small_subject, target):
    assert assumed_prevalence(of_target(small_subject, target), 0.25) == (0.25, "")


def test_melanoma_is_assumed_to_be_as_frequent_as_in_isic_2020(small_subject):
    assert assumed_prevalence(small_subject, None) == (PREVALENCE, "")
    assert ExportSettings().prevalence is None


def test_dermatologists_who_looked_for_melanoma_set_no_threshold_for_anything_else():
    assert [rule.key for rule in rules_for(MELANOMA)] == [rule.key for rule in RULES]
    for target in OTHERS:
        keys = [rule.key for rule in rules_for(target)]
        assert keys == ["sensitivity_95", "highest_f1"]


def test_diagnoses_are_counted_those_that_are_positive_first(small_subject):
    frame = pl.DataFrame(
        {
            "image_id": list("abcdefg"),
            "diagnosis": ["nevus", "scc", "nevus", "bcc", "bcc", None, "angioma"],
            "target": [0, 1, 0, 1, 1, 1, 0],
            "image_type": "dermoscopic",
            "license": None,
        }
    )
    data = describe_origin(replace(small_subject, frame=frame))["data"]
    assert [(one.diagnosis, one.positive, one.photographs) for one in data.diagnoses] == [
        ("bcc", True, 2),
        (None, True, 1),
        ("scc", True, 1),
        ("nevus", False, 2),
        ("angioma", False, 1),
    ]
    assert data.positives == 4


def test_the_record_says_the_target_once(small_subject):
    for target in (MELANOMA, *OTHERS):
        origin = describe_origin(of_target(small_subject, target))
        assert origin["target"] == target
        assert "target" not in origin["training"].configuration.__struct_fields__


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (MELANOMA, ["Melanoma counts as positive, every other diagnosis as negative."]),
        (
            MALIGNANT,
            [
                "What the archives call malignant counts as positive",
                "neither, such as actinic keratosis, were left out.",
                "trained to tell malignant from benign lesions",
                "left out, so that what it says of them is not known",
            ],
        ),
        (
            replace(MALIGNANT, indeterminate="malignant"),
            ["actinic keratosis, were counted with the malignant ones."],
        ),
        (
            custom_target("nevi", ("nevus", "blue nevus")),
            [
                "These diagnoses count as positive: nevus, blue nevus.",
                "tell lesions of nevi from all other lesions of the archives",
            ],
        ),
    ],
)
def test_the_card_says_what_counts_as_positive(target, told):
    card = card_of(target)
    for words in told:
        assert words in card
    assert f"tells two classes apart, {target.plural} and {target.negative_plural}." in card


def test_the_card_says_which_diagnoses_and_rows_there_were():
    rows = [
        {"diagnosis": "basal cell | carcinoma", "positive": True, "photographs": 12_345},
        {"diagnosis": None, "positive": False, "photographs": 7},
    ]
    card = card_of(MALIGNANT, data={"diagnoses": rows, "left_out": {"indeterminate": 1_246}})
    assert "| basal cell \\| carcinoma | yes | 12,345 | | not told | no | 7 |" in card
    assert "1,246 rows (indeterminate)" in card
    assert "Left out, neither positive" in card
    record = record_of()
    record["data"]["left_out"] = {}
    assert "Left out, neither positive" not in model_card(BundleManifest.from_dict(record))


@pytest.mark.parametrize("target", OTHERS, ids=IDS)
@pytest.mark.parametrize("int8", [True, False])
def test_every_branch_of_the_card_keeps_to_the_target(target, int8):
    manifest = BundleManifest.from_dict(record_of(int8=int8))
    card = model_card(with_(manifest, target=target, prevalence_note="the archives' own share"))
    assert strays(card) == []
    assert "the archives' own share" in card
    check_markdown(card)
