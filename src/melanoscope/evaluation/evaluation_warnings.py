"""What makes an evaluation less worth than it looks."""

from __future__ import annotations

from melanoscope.evaluation.results import EvaluationResults

_FEW = 100
_SHARE = 0.02


def warnings_of(results: EvaluationResults) -> list[str]:
    """Say what a reader of an evaluation must know, a sentence each."""
    sample, overlap = results.sample, results.overlap
    positives = int(sample.target.sum())
    fewest = min(positives, sample.target.size - positives)
    refused = {one.status: one.photographs for one in results.gate.shares}
    total = sample.frame.height
    found = [
        (
            overlap.left_out > 0,
            (
                f"{overlap.left_out:,} photographs were left out: the network was developed on "
                "them, their lesions or their patients."
            ),
        ),
        (
            overlap.held_out > 0,
            (
                f"{overlap.held_out:,} of the evaluated photographs belong to the network's own "
                "test: the two results are not of different patients."
            ),
        ),
        (
            not overlap.listed,
            (
                "The bundle does not list the photographs that the network was developed on: "
                "copies among these could not be found."
            ),
        ),
        (
            overlap.near_duplicates is None,
            (
                "Near-duplicates of the development's photographs (re-encoded, cropped, turned) "
                "were not looked for: name its archives with --development."
            ),
        ),
        (
            results.group_unit == "photographs",
            (
                "No patients or lesions are known: photographs of one person count as "
                "independent, so that intervals are too narrow."
            ),
        ),
        (
            fewest < _FEW,
            (
                f"The rarer class has {fewest:,} photographs; external validation asks for 100 or "
                "more (Collins, Ogundimu & Altman 2016)."
            ),
        ),
        (
            refused["unreadable"] > 0,
            f"{refused['unreadable']:,} photographs could not be read.",
        ),
        (
            refused["refused"] > _SHARE * total,
            f"The quality gate refuses {refused['refused']:,} of {total:,} photographs.",
        ),
    ]
    return [words for holds, words in found if holds]
