"""What was measured as a table, and whether it is within its budget."""

from __future__ import annotations

from typing import Any

COLD_BUDGET, WARM_BUDGET, TORCH_BUDGET = 1.0, 1.2, 2.0


def as_markdown(result: dict[str, Any]) -> str:
    """Write what was measured as a table, and whether it is within its budget."""
    cold, hot = result["cold_start"], result["warm"]
    rows = [
        _row("cold start, whole process, s", cold["predict"]["wall_s"], COLD_BUDGET, 2),
        _row("... of processors, s", cold["predict"]["cpu_s"], None, 2),
        _row("floor: its libraries alone, s", cold["floor"]["wall_s"], None, 2),
        _row("... of processors, s", cold["floor"]["cpu_s"], None, 2),
        _row("peak memory, MiB", cold["predict"]["peak_mib"], None, 0),
        _row("warm: diagnose, ms", hot["diagnose"], None, 2),
        _row("warm: decoding and bare call, ms", hot["decoding and bare call"], None, 2),
        _row("warm: decoding, ms", hot["decoding"], None, 2),
    ]
    ratio = hot["ratio_of_medians"]
    verdict = _met(ratio <= WARM_BUDGET)
    rows.append(f"| warm: ratio of medians | {ratio:.2f} | | | {WARM_BUDGET} | {verdict} |")
    if "networks" in result:
        found = dict(result["networks"])
        times = found.pop("times_as_fast")
        rows += [_row(f"network alone: {name}, ms", one, None, 2) for name, one in found.items()]
        held = result["backbone"] == "mobilenet_v2"
        rows.append(
            f"| ONNX Runtime: times as fast as PyTorch's faster | {times:.2f} | | | "
            f"{TORCH_BUDGET if held else ''} | {_met(times >= TORCH_BUDGET) if held else ''} |"
        )
    known = result["imports"]
    rows.append(
        f"| modules imported ({known['all_ms']:.0f} ms) | {known['modules']} | | | none of "
        f"[train] | {', '.join(known['foreign']) or 'met'} |"
    )
    where = result["machine"]
    head = (
        f"{result['network']}, {result['px']} px; {where['processor']}, {where['cores']} cores, "
        f"{result['threads']} threads; ONNX Runtime {where['onnxruntime']}; {result['runs']} cold "
        f"starts, {result['repeats']} warm runs each; load {result['load'][0]:.1f} to "
        f"{result['load'][1]:.1f}."
    )
    table = [
        "| | Median | Quartiles | Fastest | Budget | |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    return "\n".join([head, "", *table, *rows])


def _row(name: str, one: dict[str, float], budget: float | None, places: int) -> str:
    low, high = one["lower_quartile"], one["upper_quartile"]
    verdict = "| |" if budget is None else f"| {budget} | {_met(one['median'] <= budget)}"
    return (
        f"| {name} | {one['median']:.{places}f} | {low:.{places}f} to {high:.{places}f} | "
        f"{one['fastest']:.{places}f} {verdict} |"
    )


def _met(kept: bool) -> str:
    return "met" if kept else "not met"
