"""What software can say of data and their division: each function turns facts into text.

None where a fact it needs is missing: the item is then left to a person. No sentence stands here
that does not carry a fact; tests/report/test_checklist.py proves it by changing every one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from melanoscope.report.checklists.facts import NotApplicable, enumerated, flow_of
from melanoscope.report.figures.style import TRANSFER_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from melanoscope.report.checklists.facts import Answer, Facts


def sources(facts: Facts) -> Answer:
    """The archives, their licences and authors, and how much of each took part."""
    flow = flow_of(facts)
    if flow is None or not flow.archives:
        return None
    return " ".join(
        f"{source['title']} ({source['attribution']}): {stage.present:,} of {stage.listed:,} "
        f"listed photographs at hand."
        for source, stage in zip(facts.at("data", "sources"), flow.archives, strict=True)
    )


def licences(facts: Facts) -> Answer:
    """Under which terms the photographs can be had."""
    listed = facts.at("data", "sources")
    if not listed:
        return None
    return " ".join(f"{s['title']}: {s['licence']}; {s['attribution']}." for s in listed)


def exclusions(facts: Facts) -> Answer:
    """What was left out, and for what reason."""
    flow = flow_of(facts)
    if flow is None or flow.total.unreadable is None or flow.total.left_out is None:
        return None
    text = f"Left out: {flow.total.absent:,} listed photographs without a file, "
    text += f"{flow.total.unreadable:,} that could not be read"
    text += f", {flow.total.left_out:,} others" if flow.total.left_out else ""
    twice = flow.listed_twice
    return text + (f". {twice:,} ids in several archives counted once." if twice else ".")


def participants(facts: Facts) -> Answer:
    """The flow of photographs, with and without the outcome."""
    flow = flow_of(facts)
    if flow is None or flow.total.used is None or flow.total.melanomas is None:
        return None
    patients, used, melanomas = facts.at("data", "patients"), flow.total.used, flow.total.melanomas
    text = f"{flow.total.listed:,} photographs listed, {flow.total.present:,} at hand, {used:,} "
    text += f"used: {melanomas:,} melanomas, {used - melanomas:,} others"
    return text + (f"; {patients:,} patients by name." if patients is not None else ".")


def subsets(facts: Facts) -> Answer:
    """Whether a part of the archives was chosen."""
    kinds, flow = [s["kind"] for s in facts.at("data", "sources") or ()], flow_of(facts)
    if not kinds or flow is None or flow.total.left_out is None:
        return None
    chosen = [kind.removesuffix("-melanoma") for kind in kinds if kind.endswith("-melanoma")]
    if chosen:
        return f"Of {enumerated(chosen)} the melanomas only."
    if flow.total.left_out:
        return f"{flow.total.left_out:,} readable photographs were not used."
    return f"None: all {flow.total.used:,} readable photographs of {enumerated(kinds)} were used."


def preprocessing(facts: Facts) -> Answer:
    """From file to pixels, and what was checked."""
    size, broken = facts.at("configuration", "size"), facts.at("data", "unreadable")
    if size is None or broken is None:
        return None
    text = f"The largest centred square of each photograph, resized to {size} x {size} pixels"
    text += f"; {len(broken):,} files refused as unreadable"
    if facts.near_duplicates is not None:
        text += f"; {facts.near_duplicates:,} pairs of near-duplicates found"
        joined = facts.at("configuration", "near_duplicates")
        text += {True: " and kept together", False: " and not kept together"}.get(joined, "")
    return text + "."


def outcome(facts: Facts) -> Answer:
    """The classes and their balance."""
    n, melanomas = facts.at("data", "photographs"), facts.at("data", "melanomas")
    if not n or melanomas is None:
        return None
    share = f"{100 * melanomas / n:.1f} %"
    return f"Melanoma against all other diagnoses: {melanomas:,} of {n:,} ({share})."


def predictors(facts: Facts) -> Answer:
    """What the networks see, arm by arm."""
    size, arms = facts.at("configuration", "size"), facts.at("configuration", "transfer")
    if size is None or not arms:
        return None
    text = f"The photograph ({size} x {size} pixels)"
    if any(arm != "image_only" for arm in arms):
        text += ", and age, sex and body site, unknown being a value of its own"
    if "image_only" in arms:
        text += f"; the photograph alone in the arm '{TRANSFER_NAMES['image_only']}'"
    return text + "."


def sample_size(facts: Facts) -> Answer:
    """How many there are."""
    flow = flow_of(facts)
    if flow is None or flow.total.used is None or flow.total.melanomas is None:
        return None
    text = f"{flow.total.used:,} photographs with {flow.total.melanomas:,} melanomas"
    return f"{text}: all that was at hand and readable." if flow.total.left_out == 0 else f"{text}."


def missing(facts: Facts) -> Answer:
    """How much is not known, and what becomes of it."""
    if facts.missing is None:
        return None
    counts = enumerated(f"{what} of {n:,}" for what, n in facts.missing.items())
    return (
        f"Not known: {counts} photographs. All are kept, nothing is imputed: to the networks, an "
        "unknown age, sex or body site is a value of its own."
    )


def partition(facts: Facts) -> Answer:
    """How photographs were dealt to training, validation and test."""
    folds, protocol = facts.at("configuration", "folds"), facts.at("configuration", "protocol")
    held = facts.at("configuration", "recipe", "validation_fraction")
    seed = facts.at("configuration", "seed")
    if folds is None or seed is None or protocol not in ("corrected", "poster"):
        return None
    if protocol == "poster":
        return (
            f"One fixed test set for all networks; the rest in {folds} folds, each in turn for "
            f"validation (protocol {protocol}, seed {seed})."
        )
    text = f"{folds} folds, stratified by outcome, each in turn the test set"
    repeats = facts.at("configuration", "repeats") or 1
    text += f", drawn anew {repeats} times" if repeats > 1 else ""
    text += f"; {100 * held:g} % of the rest, by whole groups, for validation" if held else ""
    return f"{text} (seed {seed})."


def disjoint(facts: Facts) -> Answer:
    """The unit of splitting, with the proof that it held."""
    protocol, groups = facts.at("configuration", "protocol"), facts.at("data", "groups")
    if protocol not in ("corrected", "poster") or groups is None:
        return None
    if protocol == "poster":
        text = f"The single photograph (protocol {protocol}): a patient may be in several parts."
    else:
        joined = facts.at("configuration", "near_duplicates")
        near = ", near-duplicates" if joined else ""
        text = f"The group: photographs of one patient, of one lesion, listed duplicates{near}."
    if facts.divided_groups is not None:
        text += f" {facts.divided_groups:,} of {groups:,} groups lie in more than one part."
    nameless = (facts.missing or {}).get("patient")
    if nameless:
        text += f" {nameless:,} photographs name no patient: there one may be in several parts."
    return text


def by_partition(facts: Facts) -> Answer:
    """Who took part, and the outcome part by part."""
    first, second = characteristics(facts), parts_compared(facts)
    return f"{first} {second}" if isinstance(first, str) and isinstance(second, str) else None


def counts(facts: Facts) -> Answer:
    """How many photographs and melanomas each analysis had."""
    sizes = facts.at("folds", "sizes")
    if not sizes or facts.n_train is None or facts.n_test is None:
        return None
    text = f"On average {facts.n_train:,.0f} photographs for training, "
    if facts.n_validation is not None:
        text += f"{facts.n_validation:,.0f} for validation, "
    text += f"{facts.n_test:,.0f} for the test. Photographs (melanomas) by fold: "
    return text + _folds(facts, "{photographs:,} ({melanomas:,})") + "."


def parts_compared(facts: Facts) -> Answer:
    """How alike the parts are in outcome."""
    if not facts.at("folds", "sizes"):
        return None
    shares = _folds(facts, "{share:.1f} %")
    return f"Share of melanomas by fold: {shares}."


def characteristics(facts: Facts) -> Answer:
    """Who took part."""
    if not facts.characteristics:
        return None
    return " ".join(
        f"{what[0].upper()}{what[1:]}: {_levels(levels)}."
        for what, levels in facts.characteristics.items()
        if levels
    )


def skin(facts: Facts) -> Answer:
    """Skin tone and how it was judged."""
    if not facts.skin_tones:
        return None
    return (
        "Individual typology angle, estimated by software from the skin around the lesion, "
        f"uncalibrated: {_levels(facts.skin_tones)}."
    )


def synthetic(facts: Facts) -> Answer:
    """Whether drawn pictures took part."""
    simulated = facts.at("configuration", "simulated")
    if simulated is None:
        return None
    if not simulated:
        return NotApplicable("No synthetic image took part.")
    kinds = [source["title"] for source in facts.at("data", "sources") or ()]
    return f"Synthetic images took part: {enumerated(kinds)}."


def _folds(facts: Facts, form: str) -> str:
    repeats = facts.at("folds", "sizes")
    return "; ".join(
        ", ".join(
            form.format(**one, share=100 * one["melanomas"] / max(one["photographs"], 1))
            for one in folds
        )
        for folds in repeats
    )


def _levels(levels: Mapping[str, int]) -> str:
    return ", ".join(f"{level} {n:,}" for level, n in levels.items())
