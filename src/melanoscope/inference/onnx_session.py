"""ONNX graphs, run by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoscope.errors import BundleError
from melanoscope.hardware import ONNX_RUNTIME_SPINNING
from melanoscope.machine_faults import refusal

if TYPE_CHECKING:
    from numpy.typing import NDArray


class OnnxModel:
    """One ONNX graph, ready to run on the CPU.

    Args:
        path: ONNX file.
        threads: Threads of each run; None for all cores.

    Raises:
        BundleError: ONNX Runtime cannot run the file.
    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.log_severity_level = 3  # errors reach people as ours
        spinning = "1" if ONNX_RUNTIME_SPINNING else "0"
        options.add_session_config_entry("session.intra_op.allow_spinning", spinning)
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            if refusal(error, path.parent) is not None:
                raise  # no fault of the graph
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise BundleError(
                f"a graph that ONNX Runtime {ort.__version__} runs at '{path}'",
                reason,
                "update onnxruntime",
            ) from None
        self._outputs = tuple(output.name for output in self._session.get_outputs())

    def __call__(self, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Run the graph with arrays for its inputs; return the arrays of its outputs by name."""
        return dict(zip(self._outputs, self._session.run(None, inputs), strict=True))
