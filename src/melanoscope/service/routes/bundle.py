"""GET /v1/bundle and its graphs, for readers and for devices that answer by themselves."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import FileResponse

from melanoscope.inference.bundle import GRADIENT, MODEL, SMALL, Bundle
from melanoscope.inference.manifest import FileEntry
from melanoscope.service.http.negotiation import is_cached
from melanoscope.service.http.problems import Problem, quoted
from melanoscope.service.openapi import BINARY, problem_responses
from melanoscope.service.schemas import BundleInfo

GRAPHS = (MODEL, SMALL, GRADIENT)
"""Files that a device may download."""

IMMUTABLE = "public, max-age=31536000, immutable"
"""Cache-Control of an address whose content never changes."""

_OCTETS = "application/octet-stream"
_NOT_MODIFIED = {"description": "Known (If-None-Match)."}
_GRAPH_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "An ONNX graph.", "content": {_OCTETS: BINARY}},
    206: {"description": "Part of one (Range).", "content": {_OCTETS: BINARY}},
    304: _NOT_MODIFIED,
    416: {"description": "No such part."},
    **problem_responses("no-such-file"),
}


def routes(bundle: Bundle, *, explains: bool) -> APIRouter:
    """Return the routes of `bundle`; `explains` says whether it has a gradient graph."""
    router = APIRouter(prefix="/v1/bundle", tags=["bundle"])
    info = json.dumps(
        _bundle_info(bundle, explains=explains), allow_nan=False, separators=(",", ":")
    ).encode()

    @router.get(
        "",
        summary="What answers",
        description="The bundle's record (target, thresholds, held-out metrics) and model card.",
        response_model=BundleInfo,
        responses={304: _NOT_MODIFIED},
    )
    async def describe(request: Request) -> Response:
        headers = {"Cache-Control": "no-cache", "ETag": f'"{bundle.fingerprint}"'}
        if is_cached(request, headers["ETag"]):
            return Response(None, 304, headers)
        return Response(info, 200, headers, "application/json")

    @router.get(
        "/files/{name}",
        summary="A graph of the bundle",
        description="For devices that answer by themselves. With ?v= and the file's sha256 it "
        "may be kept for ever.",
        response_class=FileResponse,
        responses=_GRAPH_RESPONSES,
    )
    async def graph(
        request: Request,
        name: Annotated[str, Path(examples=[MODEL])],
        v: Annotated[
            str | SkipJsonSchema[None],
            Query(description="sha256 of the file; another than the bundle's is 404."),
        ] = None,
    ) -> Response:
        headers = _graph_headers(bundle.manifest.files, name, v)
        if is_cached(request, headers["ETag"]):
            return Response(None, 304, headers)
        return FileResponse(bundle.folder / name, 200, headers, _OCTETS)

    return router


def _bundle_info(bundle: Bundle, *, explains: bool) -> dict[str, Any]:
    record = {key: value for key, value in bundle.manifest.to_dict().items() if key != "seal"}
    return {
        "fingerprint": bundle.fingerprint,
        "record": record,
        "card": bundle.card(),
        "explains": explains,
    }


def _graph_headers(
    files: Mapping[str, FileEntry], name: str, version: str | None
) -> dict[str, str]:
    """Return the headers of a graph, or raise the problem that a bundle with `files` lacks it."""
    if name not in GRAPHS or name not in files:
        known = ", ".join(graph for graph in GRAPHS if graph in files)
        mend = "see the record's graphs"
        raise Problem("no-such-file", f"one of {known}", quoted(name), mend)
    sha256 = files[name].sha256
    if version not in (None, sha256):
        expected = f"the version {sha256[:12]}... of {name}"
        raise Problem("other-bundle", expected, quoted(version, 16), "read /v1/bundle again")
    return {
        "Cache-Control": IMMUTABLE if version else "no-cache",
        "ETag": f'"{sha256}"',
        "Link": '<../../bundle>; rel="license"',  # it derives from photographs with terms
    }
