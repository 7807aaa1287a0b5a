"""ONNX graphs, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoscope.errors import BundleError
from melanoscope.hardware import ONNX_RUNTIME_SPINNING
from melanoscope.inference.onnx_content import refuse_foreign
from melanoscope.machine_faults import machine_fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

Shape = tuple[int | None, ...]
"""Sizes of an array; None for any size."""

FLOAT, UINT8 = "tensor(float)", "tensor(uint8)"
"""Types of arrays, as ONNX Runtime writes them."""


class OnnxModel:
    """One ONNX graph, ready to run on the CPU.

    Args:
        source: ONNX file of our own, or the content of a file of anybody, which is run only where
            it is whole in itself.
        threads: Threads of each run; None for all cores.
        name: What errors call a content.

    Raises:
        BundleError: ONNX Runtime cannot run it.
    """

    def __init__(
        self, source: Path | bytes, threads: int | None = None, name: str = "bytes"
    ) -> None:
        import onnxruntime as ort

        self.name = str(source) if isinstance(source, Path) else name
        if isinstance(source, bytes):
            refuse_foreign(source, self.name)
        options = ort.SessionOptions()
        options.log_severity_level = 4  # errors reach people as ours
        spinning = "1" if ONNX_RUNTIME_SPINNING else "0"
        options.add_session_config_entry("session.intra_op.allow_spinning", spinning)
        options.add_session_config_entry("session.load_model_format", "ONNX")
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = ort.InferenceSession(
                str(source) if isinstance(source, Path) else source,
                options,
                providers=["CPUExecutionProvider"],
                enable_fallback=0,  # to the same provider, with words on stdout
            )
        except Exception as error:
            folder = source.parent if isinstance(source, Path) else None
            if machine_fault(error, folder) is not None:
                raise  # no fault of the graph
            raise BundleError(
                f"a graph that ONNX Runtime {ort.__version__} runs at '{self.name}'",
                _reason(error),
                "update onnxruntime",
            ) from None
        # It keeps the content for a change of providers, which nobody asks for here.
        self._session._model_bytes = None
        self._outputs = tuple(output.name for output in self._session.get_outputs())

    def __call__(self, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Run the graph with arrays for its inputs; return the arrays of its outputs by name.

        Args:
            **inputs: The arrays by the names of the inputs.

        Returns:
            The arrays of the outputs by their names.

        Raises:
            BundleError: The graph cannot be run with them.
        """
        try:
            values = self._session.run(None, inputs)
        except Exception as error:  # noqa: BLE001 - as above
            shapes = ", ".join(f"{name} {array.shape}" for name, array in inputs.items())
            raise BundleError(
                f"a graph that runs at '{self.name}' with {shapes}",
                _reason(error),
                "make the bundle anew",
            ) from None
        return dict(zip(self._outputs, values, strict=True))

    def require_signature(
        self, inputs: Mapping[str, tuple[str, Shape]], outputs: Mapping[str, Shape]
    ) -> OnnxModel:
        """Refuse a graph with other inputs, or without the outputs that are asked of it.

        Args:
            inputs: All inputs by name: type and shape.
            outputs: Outputs of floats that there must be, by name, with their shapes.

        Returns:
            The graph itself.

        Raises:
            BundleError: It has another signature.
        """
        found = {one.name: one for one in self._session.get_inputs()}
        if found.keys() != inputs.keys():
            raise self._other_signature("inputs", ", ".join(inputs), ", ".join(found) or "none")
        answers = {one.name: one for one in self._session.get_outputs()}
        wanted = {**inputs, **{name: (FLOAT, shape) for name, shape in outputs.items()}}
        for name, (kind, shape) in wanted.items():
            one = {**answers, **found}.get(name)
            if one is None:
                raise self._other_signature("outputs", ", ".join(outputs), f"no {name}")
            if one.type != kind or not _fits(one.shape, shape):
                what = f"{one.type} of shape {one.shape}"
                raise self._other_signature(name, f"{kind} of shape {list(shape)}", what)
        return self

    def _other_signature(self, part: str, expected: str, found: str) -> BundleError:
        return BundleError(
            f"{part} of the graph at '{self.name}': {expected}",
            found,
            "make the bundle anew",
        )


def require_shapes(outputs: Mapping[str, NDArray[Any]], shapes: Mapping[str, Shape]) -> None:
    """Refuse outputs of other shapes than a graph's `require_signature` promised.

    Args:
        outputs: Arrays by name.
        shapes: Their shapes by name.

    Raises:
        BundleError: One is missing, of another shape or no array of floats.
    """
    for name, shape in shapes.items():
        array = outputs.get(name)
        found = getattr(array, "shape", None)
        if array is None or found is None or not _fits(found, shape) or array.dtype.kind != "f":
            raise BundleError(
                f"the network's output {name} of shape {list(shape)}",
                f"{found}",
                "make the bundle anew",
            )


def _fits(found: Any, wanted: Shape) -> bool:
    """Say whether sizes are those wanted; a size that is a name, or not known, is any."""
    return len(found) == len(wanted) and all(
        size is None or not isinstance(known, int) or known == size
        for known, size in zip(found, wanted, strict=True)
    )


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
