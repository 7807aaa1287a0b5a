"""A service of a bundle with another target: description, answers, bundle and metrics name it."""

from __future__ import annotations

import json
from dataclasses import replace as changed

import pytest
from msgspec.structs import replace

from melanoscope.service.app import create_app
from melanoscope.service.schemas import Answer
from melanoscope.service.settings import Settings
from melanoscope.target import MELANOMA
from tests.targets import IDS, OTHERS, strays

from .conftest import photograph, served
from .pretend import Pretended, pretended_bundle


@pytest.fixture(params=[MELANOMA, *OTHERS], ids=["melanoma", *IDS])
def predictor(request, tmp_path):
    bundle = pretended_bundle(tmp_path)
    manifest = replace(bundle.manifest, target=request.param, thresholds=())
    data = replace(manifest.data, diagnoses=())
    return Pretended(changed(bundle, manifest=replace(manifest, data=data)))


def test_the_description_names_the_target(predictor):
    target = predictor.bundle.manifest.target
    document = create_app(predictor, Settings(), None).openapi()
    text = json.dumps(document, indent=0)
    assert (strays(text) == []) == (target != MELANOMA)
    said = document["info"]["description"]
    assert f"It looks for {target.condition}: {target.plural} are positive." in said
    post = document["paths"]["/v1/diagnoses"]["post"]["responses"]["200"]
    example = post["content"]["application/json"]["example"]
    Answer.model_validate_json(json.dumps(example), strict=True)
    assert example["target"] == target.name
    assert target.plural in example["decisions"][0]["meaning"]
    assert "{" not in example["decisions"][0]["meaning"]


def test_every_response_names_the_target(predictor):
    target = predictor.bundle.manifest.target
    with served(predictor, Settings(workers=1)) as service:
        answer = service.diagnose(photograph())
        info = service.client.get("/v1/bundle")
        explained = service.explain(photograph())
        metrics = service.client.get("/metrics")
    assert answer.json()["target"] == target.name
    assert info.json()["record"]["target"] == target.to_dict()
    assert f'target="{target.name}"' in metrics.text
    if target != MELANOMA:
        for response in (answer, info, explained, metrics):
            assert response.status_code == 200
            assert strays(response.text) == []
