"""What software can say of data and their division: each function turns facts into text.

Each takes the facts of a run and raises `UnknownFact` where one that it needs is missing: the item
is then left to a person. No sentence stands here that does not carry a fact;
tests/report/test_checklist.py proves it by changing every one.
"""

from __future__ import annotations

from collections.abc import Mapping

from melanoscope.report.checklists.facts import Facts, NotApplicable, enumerated, known
from melanoscope.report.checklists.flow import flow_of
from melanoscope.transfers import TRANSFER_NAMES


def sources(facts: Facts) -> str:
    """Name the archives with their authors, and how much of each is at hand."""
    archives = known(known(flow_of(facts)).archives or None)
    return " ".join(
        f"{source['title']} ({source['attribution']}): {stage.present:,} of {stage.listed:,} "
        f"listed photographs at hand."
        for source, stage in zip(facts.need("data", "sources"), archives, strict=True)
    )


def licenses(facts: Facts) -> str:
    """Say under which terms the photographs can be had."""
    listed = known(facts.at("data", "sources") or None)
    return " ".join(f"{s['title']}: {s['licence']}; {s['attribution']}." for s in listed)


def exclusions(facts: Facts) -> str:
    """Count what was left out, by reason."""
    flow = known(flow_of(facts))
    unreadable, left_out = known(flow.total.unreadable), known(flow.total.left_out)
    text = f"Left out: {flow.total.absent:,} listed photographs without a file, "
    text += f"{unreadable:,} that could not be read"
    text += f", {left_out:,} others" if left_out else ""
    twice = flow.listed_twice
    return text + (f". {twice:,} ids in several archives counted once." if twice else ".")


def participants(facts: Facts) -> str:
    """Count the photographs from the tables to the folds, with and without the outcome."""
    total, patients = known(flow_of(facts)).total, facts.at("data", "patients")
    used, melanomas = known(total.used), known(total.melanomas)
    text = f"{total.listed:,} photographs listed, {total.present:,} at hand, {used:,} "
    text += f"used: {melanomas:,} melanomas, {used - melanomas:,} others"
    return text + (f"; {patients:,} patients by name." if patients is not None else ".")


def subsets(facts: Facts) -> str:
    """Say which part of the archives was chosen, or that none was."""
    kinds = known([source["kind"] for source in facts.at("data", "sources") or ()] or None)
    total = known(flow_of(facts)).total
    left_out = known(total.left_out)
    chosen = [kind.removesuffix("-melanoma") for kind in kinds if kind.endswith("-melanoma")]
    if chosen:
        return f"Of {enumerated(chosen)} the melanomas only."
    if left_out:
        return f"{left_out:,} readable photographs were not used."
    return f"None: all {total.used:,} readable photographs of {enumerated(kinds)} were used."


def preprocessing(facts: Facts) -> str:
    """Describe the way from a file to pixels, and what was checked on it."""
    size, broken = facts.need("configuration", "size"), facts.need("data", "unreadable")
    text = f"The largest centred square of each photograph, resized to {size} x {size} pixels"
    text += f"; {len(broken):,} files refused as unreadable"
    if facts.near_duplicates is not None:
        text += f"; {facts.near_duplicates:,} pairs of near-duplicates found"
        joined = facts.at("configuration", "near_duplicates")
        text += {True: " and kept together", False: " and not kept together"}.get(joined, "")
    return text + "."


def outcome(facts: Facts) -> str:
    """Name the classes and their balance."""
    n, melanomas = known(facts.at("data", "photographs") or None), facts.need("data", "melanomas")
    share = f"{100 * melanomas / n:.1f} %"
    return f"Melanoma against all other diagnoses: {melanomas:,} of {n:,} ({share})."


def predictors(facts: Facts) -> str:
    """Say what the networks see, kind of transfer by kind of transfer."""
    size = facts.need("configuration", "size")
    transfers = known(facts.at("configuration", "transfer") or None)
    text = f"The photograph ({size} x {size} pixels)"
    if any(transfer != "image_only" for transfer in transfers):
        text += ", and age, sex and body site, unknown being a value of its own"
    if "image_only" in transfers:
        text += f"; the photograph alone under '{TRANSFER_NAMES['image_only']}'"
    return text + "."


def sample_size(facts: Facts) -> str:
    """Count the photographs and melanomas that took part."""
    total = known(flow_of(facts)).total
    text = f"{known(total.used):,} photographs with {known(total.melanomas):,} melanomas"
    return f"{text}: all that was at hand and readable." if total.left_out == 0 else f"{text}."


def missing_data(facts: Facts) -> str:
    """Say how much is not known, and what becomes of it."""
    counts = enumerated(f"{what} of {n:,}" for what, n in known(facts.missing).items())
    return (
        f"Not known: {counts} photographs. All are kept, nothing is imputed: to the networks, an "
        "unknown age, sex or body site is a value of its own."
    )


def _protocol(facts: Facts) -> str:
    protocol = facts.at("configuration", "protocol")
    return known(str(protocol) if protocol in ("corrected", "poster") else None)


def partition(facts: Facts) -> str:
    """Describe how photographs were dealt to training, validation and test."""
    folds, seed = facts.need("configuration", "folds"), facts.need("configuration", "seed")
    protocol = _protocol(facts)
    if protocol == "poster":
        return (
            f"One fixed test set for all networks; the rest in {folds} folds, each in turn for "
            f"validation (protocol {protocol}, seed {seed})."
        )
    text = f"{folds} folds, stratified by outcome, each in turn the test set"
    repeats = facts.at("configuration", "repeats") or 1
    text += f", drawn anew {repeats} times" if repeats > 1 else ""
    validation = facts.at("configuration", "recipe", "validation_fraction")
    if validation:
        text += f"; {100 * validation:g} % of the rest, by whole groups, for validation"
    return f"{text} (seed {seed})."


def disjointness(facts: Facts) -> str:
    """Name the unit of splitting, with the proof that it held."""
    protocol, groups = _protocol(facts), facts.need("data", "groups")
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


def characteristics_by_partition(facts: Facts) -> str:
    """Say who took part, and the share of melanomas fold by fold."""
    return f"{characteristics(facts)} {prevalence_by_fold(facts)}"


def counts(facts: Facts) -> str:
    """Count the photographs and melanomas of each analysis."""
    text = f"On average {known(facts.n_train):,.0f} photographs for training, "
    if facts.n_validation is not None:
        text += f"{facts.n_validation:,.0f} for validation, "
    text += f"{known(facts.n_test):,.0f} for the test. Photographs (melanomas) by fold: "
    return text + _by_fold(facts, "{photographs:,} ({melanomas:,})") + "."


def prevalence_by_fold(facts: Facts) -> str:
    """State the share of melanomas of each fold."""
    return f"Share of melanomas by fold: {_by_fold(facts, '{share:.1f} %')}."


def characteristics(facts: Facts) -> str:
    """Say who took part: sex, site, archive and age."""
    return " ".join(
        f"{what[0].upper()}{what[1:]}: {_levels(levels)}."
        for what, levels in known(facts.characteristics or None).items()
        if levels
    )


def skin_tones(facts: Facts) -> str:
    """Count the photographs of each skin tone, and say how it was judged."""
    return (
        "Individual typology angle, estimated by software from the skin around the lesion, "
        f"uncalibrated: {_levels(known(facts.skin_tones or None))}."
    )


def synthetic(facts: Facts) -> str | NotApplicable:
    """Say whether simulated photographs took part."""
    if not facts.need("configuration", "simulated"):
        return NotApplicable("No synthetic image took part.")
    kinds = [source["title"] for source in facts.at("data", "sources") or ()]
    return f"Synthetic images took part: {enumerated(kinds)}."


def _by_fold(facts: Facts, form: str) -> str:
    """Write each fold of each repeat by a format of its counts and its share of melanomas."""
    repeats = known(facts.at("folds", "sizes") or None)
    return "; ".join(
        ", ".join(
            form.format(**fold, share=100 * fold["melanomas"] / max(fold["photographs"], 1))
            for fold in folds
        )
        for folds in repeats
    )


def _levels(levels: Mapping[str, int]) -> str:
    return ", ".join(f"{level} {n:,}" for level, n in levels.items())
