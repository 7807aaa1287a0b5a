"""melanoscope: which network recognises melanoma, does transfer learning help, and does it hold.

Research software, not a medical device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from melanoscope.hardware import limit_spinning

if TYPE_CHECKING:
    from pathlib import Path

    from melanoscope.inference.predictor import Predictor
    from melanoscope.signing.keys import PublicKey

__version__ = "0.1.0"

# Here, because whatever part of the package is imported first, this file runs before it, and so
# before PyTorch, SciPy or scikit-learn load OpenMP, which reads its environment only then.
limit_spinning()


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
