"""The checklists say what facts say: each sentence moves with a fact, none stands without one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from melanoscope.report.checklists.checklist import TO_FILL, checklist_content, fill_checklists
from melanoscope.report.checklists.facts import Facts
from melanoscope.report.checklists.flow import flow_of
from melanoscope.report.checklists.items import GUIDELINES
from melanoscope.report.html import render_template
from melanoscope.stats.intervals.interval import Interval
from melanoscope.target import MELANOMA

TRIPOD, CLAIM, CLEAR = (guideline.name for guideline in GUIDELINES)
ITEMS = [item for guideline in GUIDELINES for item in guideline.items]
# What the text says of an interval; its method and size stand elsewhere on the page.
SAID = ("estimate", "low", "high")
NAME = "its name"


def split(text):
    return text.split()


TRIPOD_NUMBERS = split("""
    1 2 3a 3b 3c 4 5a 5b 6a 6b 6c 7 8a 8b 8c 9a 9b 9c 10 11 12a 12b 12c 12d 12e 12f 12g 13 14 15
    16 17 18a 18b 18c 18d 18e 18f 19 20a 20b 20c 21 22 23a 23b 24 25 26 27a 27b 27c
""")
# What no software can know: purpose, setting, assessors, ethics, money, meaning.
PERSONAL = {
    TRIPOD: split("1 2 3a 3b 3c 4 5b 6a 6c 8b 8c 9b 9c 17 18a 18b 18c 18d 19 25 26 27a 27b 27c"),
    CLAIM: split("1 2 3 4 5 6 11 13 14 15 16 17 18 21 34 40 41 42 44"),
}


def render_checklist(facts):
    return render_template("checklist.html.j2", {"content": checklist_content(facts)})


def interval(estimate, low, high):
    return Interval(
        estimate=estimate, low=low, high=high, standard_error=0.02, n=300, method="bootstrap"
    )


def source(kind, title, rows, found):
    terms = {"licence": f"licence of {title}", "attribution": f"authors of {title}"}
    return {"kind": kind, "title": title, **terms, "rows": rows, "found": found}


def record(**configuration):
    sizes = [
        {"fold": f, "photographs": 301 + f, "positives": 41 + f, "groups": 211 + f}
        for f in range(3)
    ]
    return {
        "melanoscope": "0.7.3",
        "configuration": {
            "backbones": ["vgg16", "resnet50"],
            "transfer": ["scratch", "finetune", "image_only"],
            "folds": 3,
            "repeats": 2,
            "size": 144,
            "seed": 17,
            "recipe": {"epochs": 13, "stop_patience": 5, "validation_fraction": 0.19},
            "protocol": "corrected",
            "columns": {},
            "image_types": [],
            "near_duplicates": True,
            "target": MELANOMA.to_dict(),
            "simulated": False,
            **configuration,
        },
        "versions": {"python": "3.11.9", "torch": "2.12.8"},
        "hardware": {"processor": "some processor", "accelerator": None, "precision": "32-true"},
        "data": {
            "fingerprint": "0f" * 32,
            "sources": [
                source("isic2020", "ISIC 2020", 5008, 621),
                source("isic2019-melanoma", "ISIC 2019, melanomas", 4001, 290),
            ],
            "rows": 9002,
            "found": 910,
            "unreadable": [{"image_id": "x"}, {"image_id": "y"}, {"image_id": "z"}],
            "listed_twice": 77,
            "photographs": 907,
            "positives": 126,
            "unlabelled": [
                {"dataset": "isic2020", "reason": "no diagnosis", "rows": 7, "found": 1}
            ],
            "licences": {},
            "patients": 333,
            "groups": 636,
        },
        "folds": {"sizes": [sizes, sizes]},
    }


def every_fact():
    return Facts(
        record=record(),
        used={"isic2020": (618, 61), "isic2019": (289, 65)},
        labels={"vgg16": "VGG-16", "resnet50": "ResNet-50"},
        n_train=488.0,
        n_validation=115.0,
        n_test=302.0,
        networks=36,
        missing={"age": 19, "patient": 289},
        characteristics={"sex": {"female": 401, "male": 506}},
        divided_groups=0,
        near_duplicates=23,
        metrics=("AUROC", "Brier score"),
        plots=("ROC curves",),
        replicates=2003,
        threshold_rule="highest F1 on validation photographs",
        operating_points=("sensitivity 95 %",),
        performance={"VGG-16: AUROC": interval(0.8123, 0.7712, 0.8541)},
        diagnostic={"VGG-16: sensitivity": interval(0.9012, 0.8512, 0.9412)},
        subgroups=("sex", "age"),
        clusters={"ISIC 2020: AUROC": interval(0.7912, 0.7212, 0.8612)},
        baselines={"archive alone: AUROC": interval(0.6412, 0.6012, 0.6812)},
        physicians="dermatologists (92 studies)",
        recalibration="Temperature scaling on validation groups",
        imbalance="Weighted loss",
        ensembling="Mean over seeds",
        external=("PAD-UFES-20",),
        attribution="Integrated Gradients",
        failures=24,
        image_types={"dermoscopic": 900, "clinical": 7},
        skin_tones={"light": 512, "not estimable": 395},
    )


def leaves(value, path=()):
    """Paths of all plain values within mappings, sequences and intervals, and of their names."""
    if isinstance(value, Mapping):
        names = [(*path, key, NAME) for key in value if isinstance(value[key], Interval)]
        return names + [leaf for key in value for leaf in leaves(value[key], (*path, key))]
    if isinstance(value, (list, tuple)):
        return [leaf for k, one in enumerate(value) for leaf in leaves(one, (*path, k))]
    if isinstance(value, Interval):
        return [(*path, name) for name in SAID]
    return [path]


def changed(value, path, change):
    """A copy with `change` applied at a path."""
    if not path:
        return change(value)
    first, rest = path[0], path[1:]
    if rest == (NAME,):
        return {change(key) if key == first else key: one for key, one in value.items()}
    if isinstance(value, Mapping):
        return {
            key: changed(one, rest, change) if key == first else one for key, one in value.items()
        }
    if isinstance(value, Interval):
        return replace(value, **{first: changed(getattr(value, first), rest, change)})
    copy = [changed(one, rest, change) if k == first else one for k, one in enumerate(value)]
    return tuple(copy) if isinstance(value, tuple) else copy


def other(value):
    """Something else of the same kind."""
    if value is None or isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return {"corrected": "poster", "scratch": "frozen"}.get(value, f"another {value}")
    return value + (1 if isinstance(value, int) else 1.11)


def every_change(change):
    facts = every_fact()
    for f in fields(Facts):
        value = getattr(facts, f.name)
        for path in leaves(value):
            yield (f.name, *path), replace(facts, **{f.name: changed(value, path, change)})


def texts(facts):
    return [entry.text for entry in fill_checklists(facts)]


def test_numbers_are_the_published_ones():
    numbers = {g.name: [item.number for item in g.items] for g in GUIDELINES}
    assert numbers[TRIPOD] == TRIPOD_NUMBERS
    assert len(TRIPOD_NUMBERS) == 52
    assert len({re.sub(r"[a-z]", "", number) for number in TRIPOD_NUMBERS}) == 27
    assert numbers[CLAIM] == [str(number) for number in range(1, 45)]
    # Sections, since its numbers could not be checked; the page says so.
    assert list(dict.fromkeys(numbers[CLEAR])) == [
        *("Data", "Technique", "Technical assessment", "Application")
    ]
    assert len(numbers[CLEAR]) == 25
    assert [g.name for g in GUIDELINES if g.note] == [CLEAR]


def test_every_text_fills_an_item():
    """items.toml names texts: one that it does not name would be dead."""
    texts = (files("melanoscope.report") / "checklists" / "texts.j2").read_text(encoding="utf-8")
    macros = re.findall(r"\{% macro ([a-z]\w*)\(", texts)
    assert sorted(macros) == sorted({item.fill for item in ITEMS if item.fill})


def test_without_facts_everything_is_to_fill():
    for entry in fill_checklists(Facts()):
        assert (entry.status, entry.text) == ("to fill", "TO FILL")
        assert 0 < len(entry.hint) < 80
    assert flow_of(Facts()) is None


def test_with_all_facts_only_what_persons_know_is_to_fill():
    left = {}
    for item, entry in zip(ITEMS, fill_checklists(every_fact()), strict=True):
        assert (item.fill == "") == (entry.status == "to fill"), entry
        assert (entry.text == TO_FILL) == (entry.status == "to fill")
        assert (entry.number, entry.topic) == (item.number, item.topic)
        if item.fill == "":
            left.setdefault(entry.standard, []).append(entry.number)
    assert {name: left[name] for name in PERSONAL} == PERSONAL


def test_every_sentence_moves_with_a_fact():
    """No filled entry is the same whatever the facts; no personal one ever says anything."""
    before = texts(every_fact())
    moved = set()
    for _, facts in every_change(other):
        after = texts(facts)
        moved |= {k for k, (a, b) in enumerate(zip(before, after, strict=True)) if a != b}
    assert moved == {k for k, item in enumerate(ITEMS) if item.fill}


def test_every_fact_is_said_somewhere():
    before = texts(every_fact())
    silent = {"/".join(map(str, path)) for path, f in every_change(other) if texts(f) == before}
    # What only the diagram shows, and what names a row of run.json.
    assert {re.sub(r"\d+", "#", name) for name in silent} == {
        "record/folds/sizes/#/#/fold",
        "record/folds/sizes/#/#/groups",
        "record/data/unreadable/#/image_id",
        "record/data/unlabelled/#/found",
        "record/configuration/target/singular",
        "record/configuration/target/indeterminate",
        "record/data/sources/#/kind",
        "used/isic#/#",
    }


HOLE = re.compile(r"\bNone\b(?!:)|\bnan\b")  # "None: ..." says that there is none


def test_a_missing_entry_or_null_in_run_json_leaves_no_hole_in_a_sentence():
    before, emptied = texts(every_fact()), set()
    for part, rest in record().items():
        for key in ("", *(rest if isinstance(rest, dict) else ())):
            lacking = json.loads(json.dumps(record()))
            del (lacking[part] if key else lacking)[key or part]
            after = texts(replace(every_fact(), record=lacking))
            assert not any(HOLE.search(text) for text in after), (part, key)
            null = json.loads(json.dumps(record()))
            (null[part] if key else null)[key or part] = None
            filled = texts(replace(every_fact(), record=null))
            assert not any(HOLE.search(text) for text in filled), (part, key)
            emptied |= {k for k, (a, b) in enumerate(zip(before, after, strict=True)) if a != b}
    assert len(emptied) >= 40


@pytest.mark.parametrize("name", [f.name for f in fields(Facts)])
def test_each_field_may_be_missing(name):
    facts = replace(every_fact(), **{name: getattr(Facts(), name)})
    for entry in fill_checklists(facts):
        assert not HOLE.search(entry.text), entry
    render_checklist(facts)


def text_of(facts, standard, number):
    return next(e for e in fill_checklists(facts) if (e.standard, e.number) == (standard, number))


def test_known_sentences():
    facts = every_fact()
    assert text_of(facts, TRIPOD, "20a").text == (
        "9,009 photographs listed, 9,002 of them with a label, 910 of these at hand, 907 used: "
        "126 melanomas, 781 other lesions; 333 patients by name."
    )
    assert text_of(facts, CLAIM, "20").text == (
        "The group: photographs of one patient, of one lesion, listed duplicates, near-duplicates. "
        "0 of 636 groups lie in more than one part. 289 photographs name no patient: there one may "
        "be in several parts."
    )
    assert text_of(facts, CLAIM, "19").text == (
        "3 folds, stratified by outcome, each in turn the test set, drawn anew 2 times; 19 % of "
        "the rest, by whole groups, for validation (seed 17)."
    )
    assert text_of(facts, CLAIM, "29").text == (
        "95 % intervals: bootstrap of whole groups (2,003 draws, within folds and outcomes), "
        "widened for cross-validation, on the logit scale. One-sided corrected resampled t-test on "
        "paired folds, adjusted after Holm over networks."
    )
    assert text_of(facts, CLAIM, "27").text == "Mean over seeds."
    assert text_of(facts, CLAIM, "37").text == "VGG-16: AUROC 0.812 (0.771 to 0.854)."
    assert text_of(facts, CLAIM, "10").text == "Of isic2019 the melanomas only."
    assert "126 of 907 (13.9 %)" in text_of(facts, TRIPOD, "8a").text


def test_near_duplicates_are_named_only_where_they_were_joined():
    facts = replace(every_fact(), record=record(near_duplicates=False))
    assert "near-duplicates" not in text_of(facts, CLAIM, "20").text
    assert "23 pairs of near-duplicates found and not kept" in text_of(facts, CLAIM, "9").text
    assert "found and kept together" in text_of(every_fact(), CLAIM, "9").text


def test_the_posters_protocol_is_not_praised():
    facts = replace(every_fact(), record=record(protocol="poster", near_duplicates=False))
    assert text_of(facts, CLAIM, "20").text.startswith("The single photograph (protocol poster)")
    assert "One fixed test set" in text_of(facts, CLAIM, "19").text
    assert "goes on from the network of the fold before" in text_of(facts, CLAIM, "24").text
    assert "Cross-validation" not in text_of(facts, CLAIM, "32").text


def test_what_was_not_done_does_not_apply():
    facts = replace(every_fact(), recalibration="", imbalance="", ensembling="")
    for standard, number in ((TRIPOD, "12f"), (TRIPOD, "13"), (TRIPOD, "24"), (CLAIM, "27")):
        assert text_of(facts, standard, number).status == "not applicable"
    none = replace(facts, external=())
    assert text_of(none, CLAIM, "33").text.startswith("None: tested within the archives trained on")


def test_the_flow_adds_up():
    own = record()
    own["data"]["unreadable"] = []
    flow = flow_of(replace(every_fact(), record=own))
    assert (flow.total.absent, flow.total.unreadable, flow.total.left_out) == (8092, 0, 3)
    first, second = flow.archives
    assert (first.listed, first.present, first.readable, first.used) == (5008, 620, 620, 618)
    assert (second.readable, second.used, second.positives) == (290, 289, 65)  # of isic2019
    assert (first.unlabelled, first.labelled, second.unlabelled) == (7, 5001, 0)
    for name in (
        *(f.name for f in fields(first) if f.name != "name"),
        "unlabelled",
        "absent",
        "unreadable",
    ):
        assert sum(getattr(one, name) for one in flow.archives) == getattr(flow.total, name)
    assert (first.left_out, second.left_out) == (2, 1)


def test_the_flow_says_what_is_not_known():
    flow = flow_of(replace(every_fact(), used=None))
    assert (flow.total.readable, flow.total.unreadable, flow.total.left_out) == (907, 3, 0)
    # run.json does not say whose the three unreadable files are.
    assert (flow.archives[0].readable, flow.archives[0].used) == (None, None)
    assert flow.archives[0].left_out is None


def test_own_tables_are_found_by_their_kind():
    own = record()
    own["data"]["sources"] = [source("table", "Own table", 9002, 910)]
    stage = flow_of(Facts(own, used={"table:mine": (907, 126)})).archives[0]
    assert (stage.used, stage.positives) == (907, 126)


class Balanced(HTMLParser):
    """Checks that tags close in order, and collects text."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.attributes = [], "", []

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs
        if tag not in ("br", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_shows_every_entry_and_loads_nothing():
    facts = replace(every_fact(), attribution="<script>alert(1)</script>")
    html = render_checklist(facts)
    page = Balanced()
    page.feed(html)
    assert page.open == []
    assert "<script" not in html
    assert not {name for name, _ in page.attributes} & {"src", "href", "style", "onclick"}
    words = " ".join(page.text.split())
    for entry in fill_checklists(facts):
        assert " ".join(entry.text.split()) in words
        assert entry.topic in words
        assert entry.status == "not applicable" or entry.hint in words
    assert words.count(TO_FILL) == 1 + sum(e.status == "to fill" for e in fill_checklists(facts))
    assert "9,009 listed" in words
    assert "Without a label: 7" in words
    assert "None" not in words


def test_its_css_touches_nothing_else():
    css = (files("melanoscope.report") / "templates" / "checklist.css").read_text()
    flat = re.sub(r"@media[^{]+\{", "", css)
    for rule in re.findall(r"([^{}]+)\{", flat):
        assert all(one.strip().startswith("#checklist ") for one in rule.split(",")), rule


def test_a_record_that_lacks_its_protocol_is_no_error(run_folder):
    lacking = json.loads((run_folder / "run.json").read_text())
    lacking["configuration"].pop("protocol", None)
    facts = Facts(lacking, used={"isic2020": (100, 20), "pad-ufes-20": (200, 40)})
    assert text_of(facts, CLAIM, "23").status == "filled"
    assert text_of(facts, CLAIM, "20").status == "to fill"  # its protocol is not recorded
    assert flow_of(facts).total.used == 300
    assert "cut" not in render_checklist(facts)
