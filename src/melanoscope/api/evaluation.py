"""`melanoscope.evaluate`: a finished network on another archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from melanoscope.api.options import archives_of, cache_of
from melanoscope.api.result_table import ResultTable
from melanoscope.data.archive import ReadOptions
from melanoscope.evaluation.evaluate import evaluate_bundle
from melanoscope.evaluation.results import EvaluationResults, EvaluationSettings
from melanoscope.inference.predictor import load
from melanoscope.progress import RunProgress
from melanoscope.stats.bootstrap.group_weights import REPLICATES

if TYPE_CHECKING:
    from melanoscope.signing.keys import PublicKey

OWN_TEST = "own test"


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation(ResultTable):
    """A network on another archive, beside its own test.

    Attributes:
        results: Everything that is computed: overlap, case mix, calibration, thresholds, gate.
    """

    results: EvaluationResults

    def save(self, folder: Path | str) -> Path:
        """Write the page, the document and the figures, as the command does; return the page."""
        from melanoscope.report.evaluation_page import write_evaluation

        return write_evaluation(self.results, Path(folder))


def evaluate(
    bundle: Path | str,
    data: Sequence[str] | str,
    *,
    development: Sequence[str] | str = (),
    variant: str = "float32",
    trust: PublicKey | Path | str | None = None,
    replicates: int = REPLICATES,
    corrupted: int = 0,
    cache: Path | str | None = None,
    quiet: bool = False,
) -> Evaluation:
    """Test a bundle's network on photographs that it was not developed on; no PyTorch.

    Args:
        bundle: Folder of the bundle.
        data: Archives to test on, "KIND=PATH".
        development: Archives that the network was developed on, to find near-duplicates too.
        variant: "float32", or "int8" where the bundle has it.
        trust: Public key that must have signed the bundle; None where anybody may have made it.
        replicates: Number of replicates of the bootstrap, at least 100.
        corrupted: Number of photographs that artefacts are drawn on, about; 0 for none.
        cache: Folder of answers and decoded photographs; None for the user's cache.
        quiet: Whether no progress is shown.

    Returns:
        The metrics on the archive, and of the network's own test those that can be compared.

    Raises:
        BundleError: No whole bundle.
        DataError: Archives that cannot be read, or no photograph left.
        StatisticsError: Too few photographs for an honest number.
    """
    with RunProgress(quiet=quiet) as progress:
        results = evaluate_bundle(
            load(bundle, variant=variant, trust=trust),
            archives_of(data),
            ReadOptions(cache_of(cache)),
            progress,
            development=archives_of(development),
            settings=EvaluationSettings(replicates=replicates, corrupted=corrupted),
        )
    own = {metric: one.internal for metric, one in results.metrics.items()}
    return Evaluation(
        title=f"{results.name} on {', '.join(results.archives)}",
        values={"here": results.evidence.metrics, OWN_TEST: own},
        simulated=results.simulated,
        results=results,
    )
