"""Small real bundles whose graph gives what it is told to, made without a network."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from melanoscope import patient
from melanoscope.inference.bundle import MANIFEST, file_entry
from melanoscope.inference.manifest import seal_of
from tests.inference.manifests import record_of

PX = 64
FLOAT = TensorProto.FLOAT
OUTPUTS = {
    "logit": ["n"],
    "evidence": ["n", 1, 1],
    "features": ["n", 1],
    "static_evidence": ["n", "s"],
    "distance": ["n"],
}


def graph_of(values=None, *, px=PX, domain="", external=None, drop=(), rename=None):
    """Return a model whose outputs are the mean of all pixels or, by name, one of `values`."""
    values, rename = values or {}, rename or {}
    nodes = [
        helper.make_node("Cast", ["pixels"], ["p"], to=FLOAT),
        helper.make_node("ReduceMean", ["p", "axes_pixels"], ["mean"], keepdims=0),
        helper.make_node("ReduceMean", ["static", "axis_static"], ["of_static"], keepdims=0),
    ]
    weights = {
        "axes_pixels": np.array([1, 2, 3]),
        "axis_static": np.array([2]),
        "rows_evidence": np.array([-1, 1, 1]),
        "rows_features": np.array([-1, 1]),
    }
    of = {"logit": "mean", "distance": "mean", "evidence": "mean", "features": "mean"}
    for name in OUTPUTS:
        source = of.get(name, "of_static")
        # 0 times the mean, plus the value: NaN and infinity stay, and nothing is folded away.
        weights[f"{name}_value"] = np.float32(values.get(name, 0.5))
        weights[f"{name}_zero"] = np.float32(0)
        nodes += [
            helper.make_node("Mul", [source, f"{name}_zero"], [f"{name}_none"]),
            helper.make_node(
                "Add", [f"{name}_none", f"{name}_value"], [f"{name}_flat"], domain=domain
            ),
        ]
        shape = f"rows_{name}"
        last = (
            ["Reshape", [f"{name}_flat", shape]]
            if shape in weights
            else ["Identity", [f"{name}_flat"]]
        )
        nodes.append(helper.make_node(*last, [rename.get(name, name)]))
    initializers = [numpy_helper.from_array(one, name) for name, one in weights.items()]
    if external is not None:
        one = next(one for one in initializers if one.name == "logit_value")
        onnx.external_data_helper.set_external_data(one, location=external)
        one.ClearField("raw_data")
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "broken",
        [
            info("pixels", TensorProto.UINT8, ["n", px, px, 3]),
            info("static", FLOAT, ["n", "s", patient.WIDTH]),
        ],
        [info(rename.get(n, n), FLOAT, s) for n, s in OUTPUTS.items() if n not in drop],
        initializers,
    )
    opsets = [helper.make_opsetid("", 18)]
    if domain:
        opsets.append(helper.make_opsetid(domain, 1))
    return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


def write_bundle(folder, graph, *, card=b"# Card\n", files=None, **changes):
    """Write a sealed bundle with this graph."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {"model.onnx": graph, "weights.safetensors": b"weights", "MODEL_CARD.md": card}
    contents |= files or {}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    record = record_of(int8=False) | {
        "files": {name: msgspec.to_builtins(file_entry(folder / name)) for name in contents}
    }
    record["graphs"] = {
        "model": {"file": "model.onnx"},
        "gradient": {"why": "none"},
        "int8": {"why": "not asked for"},
    }
    # Whatever the photograph and the distance, the gate lets it pass.
    wide = {"doubtful": -1000.0, "refused": -1000.0}
    low = {"doubtful": 1000.0, "refused": 1000.0}
    from melanoscope.inference.quality.gate import LOW, MEASURES

    record["gate"]["limits"] = {name: low if name in LOW else wide for name in MEASURES}
    record["gate"]["distance"] = {"float32": {"doubtful_above": 1e9, "refused_above": 1e9}}
    write_record(folder, record | changes)
    return folder


def write_record(folder, record):
    text = json.dumps(record | {"seal": seal_of(record)}, indent=1)
    (folder / MANIFEST).write_text(text)
