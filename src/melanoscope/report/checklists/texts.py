"""Renders the texts of the checklists' items, texts.j2, from the facts of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import ChainableUndefined, Environment, PackageLoader, Undefined, UndefinedError

from melanoscope.report.checklists.facts import Facts, Intervals
from melanoscope.report.checklists.flow import flow_of
from melanoscope.report.licences import terms_of
from melanoscope.report.target_words import question_of, upper_first
from melanoscope.target import Target
from melanoscope.transfers import TRANSFER_NAMES


class _Unknown(ChainableUndefined):
    """A fact that is not known: false in a condition, an `UndefinedError` where it is printed."""

    __slots__ = ()
    __iter__ = __len__ = __contains__ = __str__ = Undefined._fail_with_undefined_error


class _Environment(Environment):
    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an attribute or entry of `obj`; None, as null in run.json, is unknown too."""
        value = super().getattr(obj, attribute)
        return self.undefined(name=attribute) if value is None else value


def render_text(name: str, facts: Facts) -> str | None:
    """Render the macro `name` of texts.j2; None where a fact that it needs is unknown."""
    context = {"run": facts.record, "facts": facts, "flow": flow_of(facts)}
    macro = getattr(_TEMPLATE.make_module(context), name)
    try:
        return " ".join(macro().split()) or None
    except UndefinedError:
        return None


def _not_empty(value: Any) -> Any:
    if value is None or value == "":
        raise UndefinedError("nothing to print would leave a hole in a sentence")
    return value


def _count(n: float) -> str:
    return f"{float(n):,.0f}"


def _enumerated(words: Iterable[str]) -> str:
    """Join `words` as in a sentence.

    >>> _enumerated(["a", "b", "c"])
    'a, b and c'
    """
    listed = list(words)
    return " and ".join([", ".join(listed[:-1]), *listed[-1:]] if listed[1:] else listed)


def _counted(counts: Mapping[str, int], between: str = " ") -> list[str]:
    return [f"{name}{between}{n:,}" for name, n in counts.items()]


def _renamed(keys: Iterable[str], names: Mapping[str, str]) -> list[str]:
    return [names.get(key, key) for key in keys]


def _intervals(intervals: Intervals) -> str:
    return "; ".join(
        f"{name} {interval.estimate:.3f} ({interval.low:.3f} to {interval.high:.3f})"
        for name, interval in intervals.items()
    )


def _terms(source: Mapping[str, Any], stated: Any) -> str:
    return terms_of(source, {} if isinstance(stated, Undefined) else stated)


def _question(target: Any) -> str:
    if isinstance(target, Undefined):
        raise UndefinedError("a run's target is not known")
    return question_of(Target.from_dict(target))


_ENVIRONMENT = _Environment(
    loader=PackageLoader("melanoscope.report", "checklists"),
    autoescape=False,  # the page escapes the texts
    undefined=_Unknown,
    finalize=_not_empty,
)
_ENVIRONMENT.globals["transfer_names"] = TRANSFER_NAMES
_ENVIRONMENT.tests["ending"] = str.endswith
_ENVIRONMENT.filters |= {
    "count": _count,
    "counted": _counted,
    "enumerated": _enumerated,
    "intervals": _intervals,
    "renamed": _renamed,
    "question": _question,
    "terms": _terms,
    "upper_first": upper_first,
}
_TEMPLATE = _ENVIRONMENT.get_template("texts.j2")
