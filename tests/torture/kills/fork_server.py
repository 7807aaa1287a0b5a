"""A process that has imported PyTorch once and forks itself for each victim.

Forking is sound while the process has a single thread, which is checked before each fork. That is
why Polars, ONNX Runtime and the package itself are left for the victims to import: they start
threads. Lines of JSON come in and go out:

    {"start": PLAN}    -> {"pid": number}
    {"poll": number}   -> {"status": number, negative for a signal, or null while it lives}
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys
from pathlib import Path

from .victim import Plan, run

_THREADED = ("polars", "onnxruntime")
_HEAVY = (
    *("torch", "torch._dynamo", "torch.distributed", "torch.onnx", "torch.optim", "torchvision"),
    *("torch.onnx._internal.exporter", "lightning_fabric", "lightning_fabric.plugins"),
    *("captum.attr", "safetensors.torch", "onnx", "onnxscript"),
    *("scipy.interpolate", "scipy.optimize", "scipy.stats"),
    *("sklearn.linear_model", "sklearn.metrics", "skimage.color", "skimage.transform"),
    *("matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "matplotlib.pyplot"),
    *("filelock", "imagehash", "jinja2", "msgspec", "rich.progress", "typer", "xxhash"),
)


def main() -> None:
    """Serve until standard input ends, then kill the victims that are left."""
    preload()
    gc.freeze()
    living: set[int] = set()
    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        ask = json.loads(line)
        if "start" in ask:
            plan = Plan(**ask["start"])
            refuse_threads()
            pid = os.fork()
            if pid == 0:
                run(plan)
            living.add(pid)
            answer: dict[str, int | None] = {"pid": pid}
        else:
            answer = {"status": None}
            ended, status = os.waitpid(ask["poll"], os.WNOHANG)
            if ended:
                living.discard(ended)
                answer = {"status": os.waitstatus_to_exitcode(status)}
        print(json.dumps(answer), flush=True)  # noqa: T201
    for pid in living:
        os.kill(pid, signal.SIGKILL)


def preload() -> None:
    """Import what takes long and starts no thread."""
    import melanoscope  # noqa: F401 - first: it limits how long OpenMP's threads spin

    for name in _HEAVY:
        importlib.import_module(name)


def refuse_threads() -> None:
    """Raise where a fork would leave a lock held by a thread that is not there."""
    threads = len(list(Path("/proc/self/task").iterdir()))
    loaded = [name for name in _THREADED if name in sys.modules]
    if threads != 1 or loaded:
        raise RuntimeError(f"a fork needs a single thread, found {threads}; loaded: {loaded}")


if __name__ == "__main__":
    main()
