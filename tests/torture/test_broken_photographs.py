"""Broken photographs through every route: some of every kind, and in the long form all of them.

The long form also reads files that are mutated at random.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from melanoscope.service.app import create_app
from melanoscope.service.settings import Settings
from tests.broken_photographs import Entry, checks, corpus, small_corpus
from tests.broken_photographs.routes import Folder, fill, outcome
from tests.broken_photographs.whole import whole_files
from tests.service.pretend import Pretended, pretended_bundle

SEEDS = ("some", *(pytest.param(seed, marks=pytest.mark.torture) for seed in (0, 1)))
WHOLE = whole_files(0)


def entries_of(seed: int | str) -> tuple[Entry, ...]:
    return small_corpus() if seed == "some" else corpus(seed)


@pytest.fixture(scope="module", params=SEEDS)
def folder(request, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    entries = entries_of(request.param)
    if request.param == "some":  # sparse files of gigabytes are hashed whole
        entries = tuple(entry for entry in entries if entry.kind != "sparse")
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


@pytest.mark.parametrize("seed", SEEDS)
def test_each_file_by_itself(tmp_path, seed):
    checks.check_decoder(entries_of(seed), tmp_path)


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


@pytest.mark.torture
@pytest.mark.parametrize("name", WHOLE)
@settings(
    max_examples=400,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.data())
def test_mutated_bytes_are_read_or_refused(name, data):
    """Bytes changed, put in, left out and copied over, in a file of each format."""
    content = bytearray(WHOLE[name][1])
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, min(400, len(content))) | st.integers(0, len(content)))
        size = data.draw(st.integers(0, 40))
        content[place : place + size] = data.draw(st.binary(max_size=40))
    pixels, reason = outcome(bytes(content))
    assert pixels is not None or reason
