"""What `benchmark --shares` and `--draws` state: the sizes of a learning curve."""

from __future__ import annotations

from melanoscope.benchmark.config import MOST_SEEDS, split_names
from melanoscope.errors import DataError
from melanoscope.training.config import refuse_beyond

DRAWS = 3


def parse_shares(text: str | None, draws: int) -> tuple[float, ...]:
    """Parse comma-separated shares of the training groups; the whole is always one of them.

    Args:
        text: As "0.1,0.25,0.5,1"; None for the whole alone.
        draws: Number of draws of the groups at each share.

    Returns:
        The shares below 1, ascending.

    Raises:
        DataError: No numbers above 0, to 1, fewer of them than a curve takes, or no several draws.

    >>> parse_shares("0.5,0.1,0.25,1", draws=3)
    (0.1, 0.25, 0.5)
    """
    if text is None:
        return ()
    from melanoscope.stats.nested_draws import FEWEST_SIZES

    refuse_beyond(draws, 2, MOST_SEEDS, "--draws")
    shares = set()
    for word in split_names(text, ()):
        try:
            # As its folder is named: two names may not be of one share.
            share = float(f"{float(word):g}")
        except ValueError:
            share = 0.0
        if not 0 < share <= 1:
            raise DataError("--shares above 0, to 1", f"'{word}'", "state 0.1,0.25,0.5,1")
        shares.add(share)
    below = tuple(sorted(shares - {1.0}))
    if len(below) + 1 < FEWEST_SIZES:
        raise DataError(
            f"{FEWEST_SIZES} shares or more with the whole",
            f"'{text}'",
            "state 0.1,0.25,0.5,1: three parameters leave nothing to see a misfit by",
        )
    return below
