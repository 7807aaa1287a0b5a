"""The bundle's record, its card and its graphs."""

from __future__ import annotations

import hashlib

import pytest

from melanoscope.service.schemas import BundleInfo

from ..conftest import Service, is_problem
from ..pretend import CARD, GRAPH

MODEL = hashlib.sha256(GRAPH).hexdigest()


def test_the_bundle_is_told(service: Service):
    response = service.client.get("/v1/bundle")
    told = BundleInfo.model_validate(response.json()).model_dump()
    assert told["fingerprint"] == "f" * 64
    assert told["card"] == CARD.decode()
    assert told["explains"] is True
    assert "seal" not in told["record"]
    assert told["record"]["files"]["model.onnx"]["sha256"] == MODEL
    again = {"If-None-Match": response.headers["etag"]}
    assert service.client.get("/v1/bundle", headers=again).status_code == 304


def test_graphs_are_handed_out(service: Service):
    response = service.client.get("/v1/bundle/files/model.onnx", params={"v": MODEL})
    assert response.content == GRAPH
    assert "immutable" in response.headers["cache-control"]
    again = service.client.get("/v1/bundle/files/model.onnx")
    assert again.headers["cache-control"] == "no-cache"
    assert again.headers["etag"] == f'"{MODEL}"'
    known = {"If-None-Match": f'W/"{MODEL}", "x"'}
    assert service.client.get(str(again.url), headers=known).status_code == 304
    part = service.client.get(str(again.url), headers={"Range": "bytes=2-6"})
    assert (part.status_code, part.content) == (206, b"graph")


@pytest.mark.parametrize(
    "name",
    [
        "weights.safetensors",
        "bundle.json",
        "MODEL_CARD.md",
        "model.int8.onnx",  # this bundle has none
        "..%2f..%2fsecret",
        "%2e%2e",
        "model.onnx%00",
        "<b>",
        "x" * 3000,
    ],
)
def test_other_files_are_not(service: Service, name):
    response = service.client.get(f"/v1/bundle/files/{name}")
    is_problem(response, 404)
    assert len(response.text) < 700


def test_a_graph_of_another_bundle_is_404(service: Service):
    for version in ("0" * 64, "", "<script>"):
        response = service.client.get("/v1/bundle/files/model.onnx", params={"v": version})
        is_problem(response, 404, "other-bundle")
