"""GET /v1/bundle and its graphs: what answers, for readers and for devices that answer alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from starlette.responses import FileResponse

from melanoscope.inference.bundle import CARD, GRADIENT, MODEL, SMALL
from melanoscope.service import openapi
from melanoscope.service.http.problems import Problem, shown

if TYPE_CHECKING:
    from melanoscope.inference.bundle import Bundle

GRAPHS = (MODEL, SMALL, GRADIENT)
"""Files that a device may ask for."""

FOR_EVER = "public, max-age=31536000, immutable"


def about(bundle: Bundle, *, explains: bool) -> dict[str, Any]:
    """Return all that is said of a bundle."""
    record = {key: value for key, value in bundle.manifest.to_dict().items() if key != "seal"}
    return {
        "fingerprint": bundle.fingerprint,
        "record": record,
        "card": (bundle.folder / CARD).read_text(encoding="utf-8"),
        "explains": explains,
    }


def routes(bundle: Bundle, *, explains: bool) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/bundle", tags=["bundle"])
    said = json.dumps(about(bundle, explains=explains), separators=(",", ":")).encode()
    files = bundle.manifest.files

    @router.get("", **openapi.bundle())
    async def describe(request: Request) -> Response:
        headers = {"Cache-Control": "no-cache", "ETag": f'"{bundle.fingerprint}"'}
        if is_known(request, headers["ETag"]):
            return Response(None, 304, headers)
        return Response(said, 200, headers, "application/json")

    @router.get("/files/{name}", **openapi.graph())
    async def graph(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in GRAPHS or name not in files:
            raise Problem(
                "no-such-file",
                f"one of {', '.join(one for one in GRAPHS if one in files)}",
                shown(name),
                "see the record's graphs",
            )
        sha256, version = files[name].sha256, request.query_params.get("v")
        if version not in (None, sha256):
            raise Problem(
                "other-bundle",
                f"the version {sha256[:12]}... of {name}",
                shown(version, 16),
                "read /v1/bundle again",
            )
        headers = {
            "Cache-Control": FOR_EVER if version else "no-cache",
            "ETag": f'"{sha256}"',
            "Link": '<../../bundle>; rel="license"',  # it derives from photographs with terms
        }
        if is_known(request, headers["ETag"]):
            return Response(None, 304, headers)
        return FileResponse(bundle.folder / name, 200, headers, "application/octet-stream")

    return router


def is_known(request: Request, etag: str) -> bool:
    """Say whether a client holds this version already (If-None-Match)."""
    known = request.headers.get("if-none-match", "")
    return known.strip() == "*" or etag in [
        one.strip().removeprefix("W/") for one in known.split(",")
    ]
