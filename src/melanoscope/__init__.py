"""melanoscope: which network recognises melanoma, does transfer learning help, and does it hold.

Research software, not a medical device.

From Python: `load` opens a bundle that diagnoses photographs; `compare`, `evaluate`, `read_run` and
`run_benchmark` do what the commands do and return tables for notebooks (`melanoscope.api`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from melanoscope.hardware import limit_spinning
from melanoscope.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from melanoscope.api.comparison import compare
    from melanoscope.api.evaluation import evaluate
    from melanoscope.api.run import read_run, run_benchmark
    from melanoscope.inference.predictor import Predictor
    from melanoscope.signing.keys import PublicKey

__all__ = ["__version__", "compare", "evaluate", "load", "read_run", "run_benchmark"]

# Here, because whatever part of the package is imported first, this file runs before it, and so
# before PyTorch, SciPy or scikit-learn load OpenMP, which reads its environment only then.
limit_spinning()

_API = {
    "compare": "comparison",
    "evaluate": "evaluation",
    "read_run": "run",
    "run_benchmark": "run",
}


def __getattr__(name: str) -> Any:
    """Import what notebooks use when it is first asked for: `load` needs none of it."""
    if name not in _API:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"melanoscope.api.{_API[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)


def load(
    bundle: Path | str,
    *,
    variant: str = "float32",
    threads: int | None = None,
    trust: PublicKey | Path | str | None = None,
) -> Predictor:
    """Open a bundle for diagnosing photographs; see `melanoscope.inference.predictor.load`.

    A photograph and what is known of the person go in, a `Diagnosis` comes out:

        melanoscope.load("bundle").diagnose("photo.jpg", age=45, sex="female", site="torso")
    """
    from melanoscope.inference.predictor import load as open_predictor

    return open_predictor(bundle, variant=variant, threads=threads, trust=trust)
