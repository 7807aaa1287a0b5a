"""What all tests share, doctests of the package included."""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

import melanoscope  # noqa: F401 - before any test imports PyTorch: see melanoscope.hardware

if TYPE_CHECKING:
    from melanoscope.export.trained_model import TrainedModel

# A busy machine is no failure; how fast things are is for benchmarks/ to say.
settings.register_profile("melanoscope", deadline=None)
settings.load_profile("melanoscope")


@pytest.fixture(scope="session")
def real_folder() -> Path:
    """Folder of the real photographs and weights, or a skip that says what is missing."""
    named = os.environ.get("MELANOSCOPE_REAL")
    if not named:
        pytest.skip("MELANOSCOPE_REAL does not name the folder of real photographs and weights")
    if not (Path(named) / "lesions").is_dir():
        pytest.skip(f"no folder 'lesions' in MELANOSCOPE_REAL={named}")
    return Path(named)


@pytest.fixture(scope="session")
def small_subject(tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    """A network trained for one epoch on simulated lesions, with its photographs."""
    from melanoscope.benchmark.config import BenchmarkConfig
    from melanoscope.data.sources import parse_spec
    from melanoscope.export.trained_model import train_model
    from melanoscope.progress import RunProgress
    from melanoscope.training.config import TrainConfig

    folder = tmp_path_factory.mktemp("subject")
    plan = BenchmarkConfig(
        data=(parse_spec("simulated=240"),),
        backbones=("squeezenet1_1",),
        transfer=("scratch",),
        image_size=64,
        train=TrainConfig(epochs=1, batch_size=32),
    )
    return train_model(plan, folder / "work", folder / "cache", RunProgress(quiet=True))


@pytest.fixture(scope="session")
def small_bundle(small_subject: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of `small_subject`; read it, do not change it."""
    from melanoscope.export.bundle_writer import ExportSettings, write_bundle

    folder = tmp_path_factory.mktemp("bundles") / "small"
    write_bundle(small_subject, folder, ExportSettings(replicates=200))
    return folder


@pytest.fixture(scope="session", params=["malignant", "keratinocyte_cancer"])
def other_bundle(
    request: pytest.FixtureRequest,
    small_subject: TrainedModel,
    small_bundle: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A bundle like `small_bundle` that calls its positives otherwise; read it only."""
    from dataclasses import replace

    from melanoscope.export.bundle_writer import ExportSettings, write_bundle
    from melanoscope.target import MALIGNANT, custom_target

    cancers = ("basal cell carcinoma", "squamous cell carcinoma")
    own = request.param != MALIGNANT.name
    target = custom_target(request.param, cancers) if own else MALIGNANT
    subject = replace(small_subject, config=replace(small_subject.config, target=target))
    folder = tmp_path_factory.mktemp("bundles") / request.param
    with pytest.MonkeyPatch.context() as patch:
        # The target is nothing to the graphs: exporting them anew would give the same bytes.
        for export, name in (("export_model", "model.onnx"), ("export_gradient", "gradient.onnx")):
            copy = partial(_copy_graph, small_bundle / name)
            patch.setattr(f"melanoscope.export.bundle_writer.{export}", copy)
        write_bundle(subject, folder, ExportSettings(replicates=200, int8=False))
    return folder


def _copy_graph(graph: Path, _network: object, _size: int, path: Path, *_: object) -> None:
    shutil.copy(graph, path)


@pytest.fixture(scope="session")
def simulated_photograph(small_subject: TrainedModel) -> Path:
    """A held-out simulated photograph."""
    return Path(small_subject.frame["path"][int(small_subject.split.test[0])])


@pytest.fixture(autouse=True)
def _examples(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the predictor's doctests the bundle and the photograph that they speak of."""
    if not isinstance(request.node, pytest.DoctestItem) or "predictor" not in request.node.name:
        return
    folder = request.getfixturevalue("tmp_path")
    (folder / "bundle").symlink_to(request.getfixturevalue("small_bundle"))
    (folder / "photo.jpg").symlink_to(request.getfixturevalue("simulated_photograph"))
    monkeypatch.chdir(folder)
