"""One command of the table, run again and again from the same beginning."""

from __future__ import annotations

import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import pytest

from .commands import Command
from .launch import Ended, Event, ForkServer, Victim, read_events
from .outcome import Outcome, differences, outcome_of
from .points import Point
from .victim import Plan

KILLED = -9


def each(*commands: Command) -> pytest.MarkDecorator:
    """Run a test with the fixture `place` of each of `commands`."""
    return pytest.mark.parametrize("place", commands, indirect=True, ids=lambda one: one.name)


class Workplace:
    """A folder with what a command finds before its start, and what it leaves undisturbed.

    Each attempt begins with the same files under the same path, since tables hold paths.
    """

    def __init__(
        self, server: ForkServer, command: Command, folder: Path, bundle: Path | None = None
    ) -> None:
        self.command = command
        self.root = folder / "work"
        self._server, self._folder = server, folder
        self._template, self._log = folder / "template", folder / "events"
        self.counts: defaultdict[str, float] = defaultdict(int)
        self.root.mkdir(parents=True)
        if bundle is not None:
            shutil.copytree(bundle, self.root / "bundle")
        for words in command.before:
            ended = self.start(words).wait()
            assert ended.status == 0, ended.stderr
        command.prepare(self.root)
        self.root.rename(self._template)

    @cached_property
    def undisturbed(self) -> tuple[Ended, Outcome]:
        """The command run to its end, and what it leaves."""
        self.reset()
        ended = self.start().wait()
        assert ended.status == 0, ended.stderr
        return ended, outcome_of(self.root)

    @cached_property
    def cut(self) -> tuple[Ended, Outcome]:
        """The command run to its event `until`, and what is there by then."""
        if not self.command.until:
            return self.undisturbed
        self.reset()
        ended = self.start(to=self.command.until).wait()
        assert ended.status == KILLED, ended.stderr
        return ended, outcome_of(self.root)

    def reset(self) -> None:
        """Put everything back to how it was before the command."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self._template, self.root)
        self._log.unlink(missing_ok=True)

    def start(
        self,
        words: Sequence[str] = (),
        *,
        at: int = 0,
        to: str = "",
        after: bool = False,
        signal: int = -KILLED,
        name: str = "first",
    ) -> Victim:
        """Start the command, or other `words`, as the victim `name`; the rest as in `Plan`."""
        self.counts["commands"] += 1
        said = [self._folder / f"{name}.{stream}" for stream in ("stdout", "stderr")]
        for file in said:
            file.unlink(missing_ok=True)
        return Victim(
            self._server,
            Plan(
                words=[word.format(root=self.root) for word in words or self.command.words],
                root=str(self.root),
                log=str(self._log),
                stdout=str(said[0]),
                stderr=str(said[1]),
                calls=list(self.command.calls),
                at=at,
                to=to,
                after=after,
                signal=signal,
                environment={"MELANOSCOPE_CACHE": str(self.root / "cache")},
            ),
        )

    def kill_at(self, point: Point) -> Ended:
        """Start the command and kill it at a point."""
        return self.start(at=point.at, after=point.after).wait()

    def finish_and_check(self, *, whole: bool = True, torn: int = 0) -> Ended:
        """Start the command once more, and compare what it leaves with an undisturbed run.

        Args:
            whole: Whether it runs to its end. Else it is cut off at its event `until`.
            torn: How many attempts were ended by the clock, perhaps between the note of an event
                and the event.

        Returns:
            How it has ended.
        """
        whole = whole or not self.command.until
        there = self._is_there()
        ended = self.start(to="" if whole else self.command.until).wait()
        if there and ended.status == 1:
            assert self.command.refused in ended.stderr, ended.stderr
        else:
            assert ended.status == (0 if whole else KILLED), ended.stderr
        once, expected = self.undisturbed if whole else self.cut
        wrong = differences(expected, outcome_of(self.root))
        assert not wrong, wrong
        self.counts["results_equal"] += 1
        again = self._counted(self.events()) - self._counted(once.events)
        largest = max(again.total(), self.counts["written_again_at_most"])
        self.counts["written_again_at_most"] = largest
        assert again.total() <= torn, f"trained again: {dict(again)}"
        return ended

    def _counted(self, events: Sequence[Event]) -> Counter[str]:
        return Counter(
            found[0]
            for what, where in events
            if what == "rename" and (found := re.search(self.command.counted, where))
        )

    def events(self) -> list[Event]:
        """Return the events of all attempts since `reset`."""
        return read_events(self._log)

    def _is_there(self) -> bool:
        """Say whether what was asked for lies there, so that it need not be made again."""
        out = Path(self.command.words[-1].format(root=self.root))
        return bool(self.command.refused) and out.exists()
