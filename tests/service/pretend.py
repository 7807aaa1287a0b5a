"""A predictor without a network: real decoding, made-up answers, and a handle on how long it takes.

Run as a program it serves, so that tests may stop, watch and overload a real process:

    python -m tests.service.pretend FOLDER '{"delay": 0.5, "settings": {"queue": 2}, "watch": true}'
"""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from pathlib import Path

import numpy as np

from melanoscope.imaging.decode import decode_image
from melanoscope.imaging.open_image import MAX_PIXELS
from melanoscope.inference.bundle import Bundle
from melanoscope.inference.calibration import log_odds
from melanoscope.inference.manifest import BundleManifest
from melanoscope.inference.predictor import Predictor
from melanoscope.inference.quality.issues import ADVICE, QualityIssue
from melanoscope.inference.quality.measures import measure_quality
from melanoscope.inference.result import Decision, Diagnosis, EvidenceSum, Standing
from melanoscope.stats.intervals.interval import Interval
from tests.inference.manifests import merged, record_of

PX = 64
GRAPH = b"a graph" * 20_000
CARD = b"# Model card\n\nPretended.\n"


def pretended_bundle(folder: Path, *, explains: bool = True) -> Bundle:
    """Write what the service reads of a bundle."""
    import hashlib

    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    contents = {"model.onnx": GRAPH, "gradient.onnx": gradient_graph(), "MODEL_CARD.md": CARD}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        files[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    gradient = {"file": "gradient.onnx"} if explains else {"why": "pretended"}
    record = record_of(int8=False) | {
        "files": files | {"weights.safetensors": {"sha256": "0" * 64, "bytes": 1}},
        "seal": "5ea1" * 16,
    }
    sizes = {"network": {"label": "Pretended", "size": PX}, "preprocessing": {"size": PX}}
    record = merged(record, sizes)
    record["graphs"]["gradient"] = gradient
    return Bundle(folder, BundleManifest.from_dict(record), "f" * 64)


def gradient_graph() -> bytes:
    """Write a graph whose evidence is the mean of all pixels."""
    import onnx
    from onnx import TensorProto, helper

    share = helper.make_tensor("share", TensorProto.FLOAT, [], [1 / (3 * PX * PX)])
    nothing = helper.make_tensor("nothing", TensorProto.FLOAT, [], [0.0])
    axes = helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3])
    nodes = [
        helper.make_node("ReduceMean", ["images", "axes"], ["photograph_evidence"], keepdims=0),
        helper.make_node("Mul", ["images", "nothing"], ["nowhere"]),
        helper.make_node("Add", ["nowhere", "share"], ["gradient"]),
    ]
    shape = ["n", 3, PX, PX]
    graph = helper.make_graph(
        nodes,
        "pretended",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info("photograph_evidence", TensorProto.FLOAT, ["n"]),
            helper.make_tensor_value_info("gradient", TensorProto.FLOAT, shape),
        ],
        [share, nothing, axes],
    )
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()


class Pretended(Predictor):
    """Answers by brightness: dark photographs are refused.

    Args:
        bundle: See `pretended_bundle`.
        delay: Seconds that a run takes.
    """

    def __init__(self, bundle: Bundle, delay: float = 0.0) -> None:
        self.bundle, self.delay, self.threads = bundle, delay, 1
        self.batches: list[int] = []
        self.decoded = 0
        self.go_on = threading.Event()
        self.go_on.set()
        self.fail = False
        self.die: BaseException | None = None
        self.dies_every = 0

    def decode(self, source, *, max_pixels=MAX_PIXELS):
        found = decode_image(source, PX, max_pixels=max_pixels)
        self.decoded += 1
        return found

    def predict(self, decoded, people, *, prevalence=None, force=False):
        if prevalence is not None:
            log_odds(prevalence)
        self._work()
        self.batches.append(len(decoded))
        self._die_if_told()
        if self.fail:
            raise RuntimeError(f"cannot answer {people}")
        return [
            self._answer(one, who, prevalence or 0.0176, force)
            for one, who in zip(decoded, people, strict=True)
        ]

    def _die_if_told(self):
        if self.dies_every and len(self.batches) % self.dies_every == 0:
            raise SystemExit(3)
        if self.die is not None:
            error, self.die = self.die, None
            raise error

    def _work(self):
        self.go_on.wait(20)
        time.sleep(self.delay)

    def _answer(self, decoded, who, prevalence, force):
        dark = float(decoded.pixels.mean()) < 30
        concerns = (
            (QualityIssue("too dark", "refused", "dark", ADVICE["too dark"]),) if dark else ()
        )
        answered = force or not dark
        share = Interval(
            estimate=0.9, low=0.8, high=0.95, standard_error=math.nan, n=100, method="pretended"
        )
        quality = measure_quality(decoded.pixels, decoded.width, decoded.height)
        places = np.array([[0.25, 0.5], [-0.5, decoded.pixels.mean() / 255]])
        decision = Decision("sensitivity_95", "n", "m", 0.1, True, share, None)
        evidence = EvidenceSum(places, float(places.sum()), (who.age or 0) / 100, 0.0, 0.0, -0.1)
        return Diagnosis(
            status="refused" if not answered else "doubtful" if concerns else "accepted",
            concerns=concerns,
            probability=0.125 if answered else None,
            prevalence=prevalence,
            decisions=(decision,) if answered else (),
            standing=Standing(0.25, 0.5) if answered else None,
            evidence=evidence if answered else None,
            person=who,
            quality=quality,
            distance=12.5,
            target=self.bundle.manifest.target,
            network="Pretended",
            simulated=True,
            forced=dark and force,
        )


def main() -> None:
    from melanoscope.service.http import connection
    from melanoscope.service.server import run
    from melanoscope.service.settings import Settings

    folder, how = Path(sys.argv[1]), json.loads(sys.argv[2])
    if how.get("watch"):
        watch_files()
    predictor = Pretended(pretended_bundle(folder / "bundle"), how.get("delay", 0.0))
    if "last_request_seconds" in how:
        connection._LAST_REQUEST_SECONDS = how["last_request_seconds"]
    predictor.dies_every = how.get("dies_every", 0)
    settings = Settings(**{"workers": 2, **how.get("settings", {})})
    run(predictor, settings, port=0, page=None)


def watch_files() -> None:
    """Tell on stderr whenever this process is about to write, make or move a file."""
    import os

    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    events = ("os.", "shutil.", "tempfile.", "subprocess.", "sqlite3.", "socket.connect")
    harmless = ("os.listdir", "os.scandir", "os.putenv", "os.add_dll_directory", "os.walk")

    def hook(event, arguments):
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & writing and path != os.devnull:
                os.write(2, f"WROTE {event} {path!r}\n".encode())
        elif event.startswith(events) and event not in harmless:
            os.write(2, f"WROTE {event} {arguments!r}\n".encode())

    sys.addaudithook(hook)


if __name__ == "__main__":
    main()
