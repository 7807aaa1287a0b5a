"""Some broken photographs of every kind through every route; all of them: tests/torture."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from melanoscope.service.app import create_app
from melanoscope.service.settings import Settings
from tests.broken_photographs import checks, corpus, small_corpus
from tests.broken_photographs.routes import Folder, fill
from tests.service.pretend import Pretended, pretended_bundle


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    # Sparse files of gigabytes are hashed whole; they come in the long form.
    entries = [entry for entry in small_corpus() if entry.kind != "sparse"]
    return fill(tmp_path_factory.mktemp("broken") / "photographs", entries)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory):
    """One for all, so that what is decoded once need not be decoded again."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Pretended:
    one = Pretended(pretended_bundle(tmp_path_factory.mktemp("pretended"), explains=False))
    one.variant = "float32"
    return one


def test_the_corpus_is_large_and_always_the_same():
    entries = corpus()
    assert len(entries) >= 500
    assert len({entry.name for entry in entries}) == len(entries)
    assert len({entry.kind for entry in entries}) >= 15
    corpus.cache_clear()
    assert [entry.content for entry in corpus()] == [entry.content for entry in entries]


def test_each_file_by_itself(tmp_path):
    checks.check_decoder(small_corpus(), tmp_path)


def test_summary(folder, cache):
    checks.check_summary(folder, cache)


def test_pixel_store(folder, cache):
    checks.check_store(folder, cache)


def test_audit(folder, cache):
    checks.check_audit(folder, cache)


def test_predict_table(folder, predictor, tmp_path):
    checks.check_table(folder, predictor, tmp_path / "out.csv")


def test_service(folder, predictor):
    app = create_app(predictor, Settings(workers=1), None)
    with TestClient(app, base_url="http://localhost") as client:
        checks.check_service(folder, client)


def test_benchmark(folder, cache):
    checks.check_benchmark(folder, cache)
