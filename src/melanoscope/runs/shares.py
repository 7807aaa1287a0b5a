"""Run folders inside a run, of trainings on shares of its training groups.

    RUN/shares/0.25/   run.json, cells/, predictions.parquet and all else that a run folder holds

Folds and test photographs are those of RUN. A cell's seed_index is its draw of the groups, and the
seed of its training, so that the trainings of RUN with that seed_index go on a draw to all groups.
"""

from __future__ import annotations

from pathlib import Path

from melanoscope.errors import RunError
from melanoscope.runs import files
from melanoscope.runs.reader import Run, read_run

_OWN = ("share",)
"""What may differ between the identity of a run and that of its shares."""


def share_folder(run: Path, share: float) -> Path:
    """Return the run folder of a `share`, above 0 and below 1, of the run folder `run`.

    >>> share_folder(Path("RUN"), 0.25).as_posix()
    'RUN/shares/0.25'
    """
    return run / files.SHARES / f"{share:g}"


def read_shares(run: Run) -> tuple[Run, ...]:
    """Read the shares of a run whose trainings were finished and joined.

    Args:
        run: The whole run.

    Returns:
        A run for each share, ascending, without `run` itself; empty where it has none.

    Raises:
        RunError: A folder holds no run, or that of other photographs, folds or settings.
    """
    found = []
    for record in (run.path / files.SHARES).glob(f"*/{files.RUN}"):
        if not (record.parent / files.PREDICTIONS).is_file():
            continue  # begun and not finished
        share = read_run(record.parent)
        expected = {**share.record.identity, **run.record.identity}
        if share.configuration.share == 1 or _shared(share) != _shared(run):
            differing = sorted(k for k in expected if _shared(share).get(k) != _shared(run).get(k))
            raise RunError(
                f"shares of the run at '{run.path}'",
                f"'{share.path}' of another ({', '.join(differing) or 'share'})",
                "run the same benchmark command again, or remove the folder",
            )
        found.append(share)
    return tuple(sorted(found, key=lambda one: one.configuration.share))


def _shared(run: Run) -> dict[str, object]:
    return {key: value for key, value in run.record.identity.items() if key not in _OWN}
