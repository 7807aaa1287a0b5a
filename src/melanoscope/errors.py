"""One family of errors, each a single line: what was expected, what was found, how to mend it.

The command line prints the line and exits with status 1; nothing but ``--debug`` shows a traceback.
"""

from __future__ import annotations

from typing import Any


class MelanoscopeError(Exception):
    """Something a person can mend; its text is one line.

    Args:
        expected: What should have been there.
        found: What was there instead.
        mend: What to do about it.

    >>> str(MelanoscopeError("a folder", "nothing at 'x'", "check the path"))
    "expected a folder; found nothing at 'x'; check the path"
    """

    def __init__(self, expected: str, found: str, mend: str) -> None:
        self.expected, self.found, self.mend = expected, found, mend
        super().__init__(one_line(f"expected {expected}; found {found}; {mend}"))

    def __reduce__(self) -> tuple[Any, ...]:
        # By default an exception is made anew from its text alone, which ends a process pool
        # instead of telling its parent what was wrong.
        return _without_init, (type(self), self.args), self.__dict__


def _without_init(kind: type[MelanoscopeError], args: tuple[Any, ...]) -> MelanoscopeError:
    return kind.__new__(kind, *args)


class DataError(MelanoscopeError):
    """Tables, photographs or folds are not what they should be."""


class WeightsError(MelanoscopeError):
    """Pretrained weights or a checkpoint cannot be had, or belong to another network."""


class RunError(MelanoscopeError):
    """A run folder cannot be used, or a run cannot go on."""


class BundleError(MelanoscopeError):
    """A bundle is not whole, of another version, or does not hold what is asked of it."""


class SignatureError(BundleError):
    """A key or a signature cannot be used, or a bundle is not signed by the key that is trusted."""


class StatisticsError(MelanoscopeError):
    """Predictions from which no honest number can be computed."""


def one_line(text: str) -> str:
    r"""Return `text` as one line that a terminal prints and does not obey.

    Names of files and words of tables come from strangers: line breaks would forge a second
    message, escape sequences move the cursor, bidirectional marks reverse what is read, and a name
    that is not UTF-8 cannot be printed. Each such character is written as Python's `repr` would.

    >>> one_line("a.jpg" + chr(27) + "[2J" + chr(10) + "ok")
    'a.jpg\\x1b[2J\\nok'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def nearest(word: str, vocabulary: list[str]) -> str:
    """Return a hint with the nearest names of a vocabulary, or the whole of it.

    >>> nearest("resnet5", ["resnet18", "resnet50", "vgg16"])
    'nearest: resnet50, resnet18'
    """
    from difflib import get_close_matches

    close = get_close_matches(word, vocabulary, n=3, cutoff=0.6)
    return "nearest: " + ", ".join(close) if close else "known: " + ", ".join(vocabulary)
