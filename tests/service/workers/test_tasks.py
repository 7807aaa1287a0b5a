"""What is done with a photograph, without threads."""

from __future__ import annotations

from concurrent.futures import CancelledError

import pytest

from melanoscope.patient import PatientInfo
from melanoscope.service.routes.form_fields import DiagnosisRequest, ExplanationOptions
from melanoscope.service.settings import Settings
from melanoscope.service.workers.queue import Job
from melanoscope.service.workers.tasks import ImageTasks

from ..conftest import photograph
from ..pretend import Pretended, pretended_bundle


def test_gradients_end_once_nobody_waits_for_them(tmp_path):
    tasks = ImageTasks(Pretended(pretended_bundle(tmp_path)), Settings(workers=1))
    request = DiagnosisRequest(PatientInfo())
    options = ExplanationOptions(method="gradients", steps=64)
    job, batches = Job(b"", request, options, queued_at=0.0), []

    def on_batch() -> None:
        batches.append(1)
        if len(batches) == 3:
            job.future.cancel()
        job.raise_if_cancelled()

    image = tasks.decode(photograph(), allow_heavy=False)
    assert image is not None
    with pytest.raises(CancelledError):
        tasks.explain(image, request, options, on_batch)
    assert len(batches) == 3
