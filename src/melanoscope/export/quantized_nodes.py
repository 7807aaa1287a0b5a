"""Which nodes of a network's graph run in 8 bits, and what is added where they err on average."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

# The first convolutions are most sensitive, have few weights, and are no faster in 8 bits.
_FLOATING_CONVOLUTIONS = 2


def quantized_nodes(model: onnx.ModelProto) -> list[str]:
    """Name the nodes that are to run in 8 bits: the image branch but its beginning."""
    # The image branch is what both `evidence` and `features` rest on, from the first convolution.
    # Its first two stay as they are, and so do those up to which a max-pool of theirs reaches: ONNX
    # Runtime would move the rounding before that pool, and pools 8-bit pixels slowly where no 8-bit
    # convolution has laid them out.
    nodes = list(model.graph.node)
    branch = sorted(_ancestors(nodes, "evidence") & _ancestors(nodes, "features"))
    convolutions = [index for index in branch if nodes[index].op_type == "Conv"]
    for start in convolutions[_FLOATING_CONVOLUTIONS:]:
        pooled = {
            name for node in nodes[:start] if node.op_type == "MaxPool" for name in node.output
        }
        if not any(pooled & set(nodes[index].input) for index in branch if index >= start):
            return [nodes[index].name for index in branch if index >= start]
    return []


def _ancestors(nodes: list[onnx.NodeProto], output: str) -> set[int]:
    """Return the indices of all nodes on which an output rests."""
    producers = {name: index for index, node in enumerate(nodes) for name in node.output}
    ancestors: set[int] = set()
    pending = [output]
    while pending:
        index = producers.get(pending.pop())
        if index is not None and index not in ancestors:
            ancestors.add(index)
            pending += nodes[index].input
    return ancestors


def add_constants(model: onnx.ModelProto, constants: Mapping[str, NDArray[np.float32]]) -> None:
    """Add `constants` (shape of one photograph) to the outputs they are named after, in place."""
    graph = model.graph
    for name, values in constants.items():
        place = next(i for i, node in enumerate(graph.node) if name in node.output)
        node = graph.node[place]
        raw, constant = f"{name}_before", f"{name}_constant"
        node.output[list(node.output).index(name)] = raw
        graph.initializer.append(numpy_helper.from_array(values[None], constant))
        added = helper.make_node("Add", [raw, constant], [name], name=f"add_{constant}")
        graph.node.insert(place + 1, added)
