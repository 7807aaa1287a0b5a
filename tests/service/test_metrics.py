"""What is counted, and nothing about a person."""

from __future__ import annotations

from .conftest import Service, photograph


def test_metrics_count(service: Service):
    service.diagnose(photograph(), age="33")
    service.diagnose(b"nothing")
    line = 'melanoscope_requests_total{method="POST",route="/v1/diagnoses",status="%d"}'
    assert service.metric(line % 200) == service.metric(line % 422) == 1
    assert service.metric('melanoscope_photographs_total{outcome="accepted"}') == 1
    assert service.metric('melanoscope_photographs_total{outcome="unreadable-photograph"}') == 1
    text = service.client.get("/metrics").text
    assert "33" not in [line.split()[-1] for line in text.splitlines()]
    assert 'fingerprint="' in text
