"""What is no photograph, no person and no form: a problem document, and nothing reflected."""

from __future__ import annotations

import pytest

from .conftest import BOUNDARY, Service, flat_png, form, is_problem, photograph

WHOLE = photograph(400)
HALF = len(WHOLE) // 2
SCRIPT = "<script>alert('x')</script>&amp;"

FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def send(service: Service, body: bytes, headers=FORM):
    return service.client.post("/v1/diagnoses", content=body, headers=headers)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"no photograph", "no image"),
        (b"<html><script>alert(1)</script></html>", "no image"),
        (b"GIF89a" + b"\0" * 100, "no image"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + b"\x00" * 200, "a video"),
        (photograph(kind="GIF"), "no image"),
        (photograph(kind="PPM"), "no image"),
        (photograph(64, kind="ICO"), "no image"),
        (WHOLE[:3000], "truncated file"),
        (WHOLE[:HALF] + b"\0" * (len(WHOLE) - HALF), "truncated"),  # an interrupted download
        (WHOLE[:HALF] + b"\xff" * (len(WHOLE) - HALF), "truncated"),
        (photograph(kind="PNG")[:1000], "truncated file"),
        (photograph(kind="WEBP")[:300], "truncated"),
        (photograph(kind="TIFF")[:500], "truncated"),
        (photograph(kind="BMP")[:500], "truncated"),
        (b"\xff\xd8\xff\xe0" + b"<script>" * 50, "truncated"),
        (b"\x89PNG\r\n\x1a\n" + b"<script>" * 50, "broken"),
        (flat_png(30_000, 30_000), "bomb"),
    ],
)
def test_what_is_no_photograph(service: Service, content, found):
    problem = is_problem(service.diagnose(content), 422, "unreadable-photograph")
    assert found in problem["found"]
    assert "table" not in problem["mend"]
    is_problem(service.explain(content), 422, "unreadable-photograph")


def test_too_many_pixels(serve):
    service = serve(pixels=1_000_000)
    problem = is_problem(service.diagnose(flat_png(2000, 501)), 422, "unreadable-photograph")
    assert problem["found"] == "2000 x 501 pixels"
    assert service.predictor.decoded == 1  # the warm-up's
    assert service.diagnose(flat_png(2000, 500), force="true").status_code == 200


@pytest.mark.parametrize(
    ("fields", "field", "hint"),
    [
        ({"age": "-3"}, "age", "from 0 to 120"),
        ({"age": "121"}, "age", "from 0 to 120"),
        ({"age": "old"}, "age", "'old'"),
        ({"age": "inf"}, "age", "from 0 to 120"),
        ({"age": SCRIPT}, "age", "from 0 to 120"),
        ({"sex": "femal"}, "sex", "nearest: female"),
        ({"site": "tors"}, "site", "nearest: torso"),
        ({"site": SCRIPT}, "site", "head/neck"),
        ({"site": "\u202e\u0000\n\r"}, "site", "a known site"),
        ({"prevalence": "1.8"}, "prevalence", "0.018"),
        ({"prevalence": "0"}, "prevalence", "between 0 and 1"),
        ({"prevalence": "inf"}, "prevalence", "between 0 and 1"),
        ({"prevalence": "some"}, "prevalence", "between 0 and 1"),
        ({"force": "maybe"}, "force", "true, false"),
        ({"sex": "x" * 101}, "sex", "at most 100 bytes"),
    ],
)
def test_what_cannot_be_said_of_a_person(service: Service, fields, field, hint):
    response = service.diagnose(photograph(), **fields)
    problem = is_problem(response, 422, "invalid-field")
    assert problem["field"] == field
    assert hint in problem["detail"]
    assert "script>" not in response.text
    assert response.text.isascii()
    assert len(problem["found"]) <= 60


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"method": "magic"}, "method"),
        ({"method": SCRIPT}, "method"),
        ({"baseline": "blak"}, "baseline"),
        ({"steps": "0"}, "steps"),
        ({"steps": "257"}, "steps"),
        ({"steps": "-1"}, "steps"),
        ({"steps": "6.5"}, "steps"),
        ({"steps": "9" * 90}, "steps"),
    ],
)
def test_what_cannot_be_explained(service: Service, fields, field):
    problem = is_problem(service.explain(photograph(), **fields), 422, "invalid-field")
    assert problem["field"] == field


def test_fields_that_nobody_reads_are_not_passed_over(service: Service):
    """An 'aeg' that is dropped in silence is an answer for another person."""
    problem = is_problem(service.diagnose(photograph(), aeg="45"), 422, "invalid-field")
    assert "'aeg'" in problem["found"]
    is_problem(service.diagnose(photograph(), method="evidence"), 422, "invalid-field")
    is_problem(service.diagnose(photograph(), **{SCRIPT: "1"}), 422, "invalid-field")


def test_twice_the_same_field(service: Service):
    twice = service.client.post(
        "/v1/diagnoses", files=[("photograph", photograph()), ("photograph", photograph())]
    )
    is_problem(twice, 422, "invalid-field")


def test_no_photograph(service: Service):
    missing = service.client.post("/v1/diagnoses", files={"age": (None, "45")})
    problem = is_problem(missing, 422, "invalid-field")
    assert problem["field"] == "photograph"


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\xc3("])
def test_text_that_is_none(service: Service, data):
    body = form(photograph(), {"age": "AGE"}).replace(b"AGE", data)
    is_problem(send(service, body), 422, "invalid-field")


@pytest.mark.parametrize(
    "name",
    [
        "../../../../etc/passwd",
        "/etc/passwd",
        "C:\\Windows\\system32\\x.jpg",
        "photo.jpg/",
        ".",
        "..",
        "",
        "a" * 900,
        "<img src=x onerror=alert(1)>.jpg",
        "'; DROP TABLE photographs; --",
        "%00.jpg",
        "ph\u00f6to\u202egpj.exe",
        "con.jpg",
    ],
)
def test_file_names_are_never_looked_at(service: Service, name):
    good = send(service, form(photograph(), disposition=named(name)))
    assert good.status_code == 200, good.text
    bad = send(service, form(b"nothing", disposition=named(name)))
    is_problem(bad, 422, "unreadable-photograph")
    if len(name) > 2:
        assert name not in good.text + bad.text


def named(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'form-data; name="photograph"; filename="{escaped}"'


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "application/json",
        "image/jpeg",
        "text/html",
        "application/x-www-form-urlencoded",
        "multipart/mixed; boundary=x",
        f"{SCRIPT}/x",
        "\u00e9",
    ],
)
def test_other_content_types_are_415(service: Service, kind):
    headers = {} if kind is None else {"Content-Type": kind.encode("latin-1")}
    response = send(service, form(photograph()), headers)
    is_problem(response, 415, "not-multipart")
    assert response.headers["accept"] == "multipart/form-data"


@pytest.mark.parametrize("charset", ["undefined", "idna", "utf-16", "zip", SCRIPT])
def test_charsets_that_a_client_names_are_no_way_in(service: Service, charset):
    """Python has codecs that raise whatever they like."""
    kind = f"multipart/form-data; boundary={BOUNDARY}; charset={charset}"
    for data in (b"\xff\xfe", b"xn--a\xff"):
        body = form(photograph(), {"sex": "SEX"}).replace(b"SEX", data)
        response = send(service, body, {"Content-Type": kind})
        problem = is_problem(response, response.status_code)
        assert problem["type"].rpartition(":")[2] in ("broken-request", "invalid-field")


def test_the_name_of_a_field_says_what_is_a_file(service: Service):
    """Not whether a client gives a file name, which some leave out and others give to text."""
    nameless = form(photograph(), {"age": "45"}, 'form-data; name="photograph"')
    assert send(service, nameless).json()["person"]["age"] == 45
    named_text = {"photograph": photograph(), "age": ("age.txt", b"45", "text/plain")}
    response = service.client.post("/v1/diagnoses", files=named_text)
    assert response.json()["person"]["age"] == 45
    empty = send(service, form(b"", disposition='form-data; name="photograph"; filename=""'))
    is_problem(empty, 422, "unreadable-photograph")


def test_compressed_forms_are_415(service: Service):
    response = send(service, form(photograph()), {**FORM, "Content-Encoding": "gzip"})
    is_problem(response, 415, "not-multipart")


@pytest.mark.parametrize("boundary", ["", "; boundary=", '; boundary=""', "; boundary=" + "x" * 71])
def test_forms_without_a_boundary_are_broken(service: Service, boundary):
    response = send(service, form(photograph()), {"Content-Type": f"multipart/form-data{boundary}"})
    is_problem(response, 400, "broken-request")


WHOLE = form(photograph(), {"age": "45"})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        WHOLE[: len(WHOLE) // 2],
        WHOLE[:-6],
        WHOLE[:60],
        b"not a form at all",
        WHOLE.replace(BOUNDARY.encode(), b"another"),
        form(photograph(), disposition="form-data"),
        form(photograph(), disposition='attachment; name="photograph"'),
        form(photograph(), disposition="").replace(b"form-data; ", b""),
        WHOLE.replace(b"Content-Disposition", b"X" * 9000),
        WHOLE.replace(b"Content-Disposition: ", b"A: 1\r\n" * 50 + b"Content-Disposition: "),
        f"--{BOUNDARY}--\r\n".encode() * 2,
    ],
    ids=range(12),
)
def test_broken_forms(service: Service, body):
    response = send(service, body)
    kind = "invalid-field" if response.status_code == 422 else "broken-request"
    is_problem(response, 422 if kind == "invalid-field" else 400, kind)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/{SCRIPT}", 404),
        ("GET", "/v1/diagnosis", 404),
        ("GET", "/v1/diagnoses/", 404),
        ("GET", "/assets/../../pyproject.toml", 404),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404),
        ("GET", "/docs", 404),
        ("GET", "/v1/diagnoses", 405),
        ("PUT", "/v1/explanations", 405),
        ("DELETE", "/v1/bundle", 405),
        ("POST", "/healthz", 405),
        ("OPTIONS", "/v1/diagnoses", 405),
        ("TRACE", "/v1/diagnoses", 405),
    ],
)
def test_what_is_not_there(service: Service, method, path, status):
    response = service.client.request(method, path)
    problem = is_problem(response, status)
    assert "script" not in response.text
    assert problem["type"] == "about:blank"
    if status == 405:
        allowed = response.headers["allow"].split(", ")
        assert ("HEAD" in allowed) == ("GET" in allowed) == (path not in POSTED)


POSTED = ("/v1/diagnoses", "/v1/explanations")


def test_nobody_elses_page_may_read(service: Service):
    """No CORS: a page of another origin cannot ask."""
    origin = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    response = service.client.request("OPTIONS", "/v1/diagnoses", headers=origin)
    assert not [name for name in response.headers if name.startswith("access-control")]


def test_a_mistake_of_ours_says_nothing(service: Service):
    service.predictor.fail = True
    problem = is_problem(service.diagnose(photograph(), age="67"), 500, "internal")
    assert "67" not in problem["detail"]
    service.predictor.fail = False
    assert service.diagnose(photograph()).status_code == 200
