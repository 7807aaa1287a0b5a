"""GET / and what belongs to it: the built files of the page, and none but these.

The files are listed once, when the service starts; a path is looked up among them and never put
together, so that no request leads out of the folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from melanoscope.service.http.headers import PAGE_POLICY
from melanoscope.service.http.negotiation import weight
from melanoscope.service.routes.bundle import FOR_EVER, is_known

INDEX = "index.html"
HASHED = "assets/"
"""Folder of files whose names change with their content."""

COMPRESSED = ".gz"
"""Ending of a file's copy for whoever reads gzip; the runtime of the network is 14 MB without."""

NOT_BUILT = (
    "melanoscope: the page is not built (npm run build in web/). The API is described at "
    "/openapi.json.\n"
)
# A browser obeys these, and machines' own tables know not all of them.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


def routes(page: Path | None) -> list[Route]:
    """Return the routes of a built page, or the one that says that there is none."""
    if page is None or not (page / INDEX).is_file():
        return [Route("/", _not_built, name="page")]
    files = sorted(path for path in page.rglob("*") if path.is_file() and path.suffix != COMPRESSED)
    found = [Route("/", _file(page / INDEX, hashed=False), name="page")]
    for path in files:
        name = path.relative_to(page).as_posix()
        found.append(Route(f"/{name}", _file(path, hashed=name.startswith(HASHED)), name="page"))
    return found


async def _not_built(request: Request) -> Response:
    request.state.route = "page"
    return Response(NOT_BUILT, media_type="text/plain")


def _file(path: Path, *, hashed: bool) -> Callable[[Request], Awaitable[Response]]:
    headers = {
        "Cache-Control": FOR_EVER if hashed else "no-cache",
        "Content-Security-Policy": PAGE_POLICY,
    }
    media = _TYPES.get(path.suffix, "application/octet-stream")
    copy = path.with_name(path.name + COMPRESSED)
    small = None
    if copy.is_file():
        headers["Vary"] = "Accept-Encoding"
        small = (copy, headers | {"ETag": _etag(copy), "Content-Encoding": "gzip"})
    plain = (path, headers | {"ETag": _etag(path)})

    async def serve(request: Request) -> Response:
        request.state.route = "page"
        found, said = plain if small is None or not _reads_gzip(request) else small
        if is_known(request, said["ETag"]):
            return Response(None, 304, said)
        return FileResponse(found, 200, said, media)

    return serve


def _etag(path: Path) -> str:
    with path.open("rb") as file:
        return f'"{hashlib.file_digest(file, "sha256").hexdigest()}"'


def _reads_gzip(request: Request) -> bool:
    # A part of a file is a part of the file itself, not of its copy.
    asked = request.headers.get("accept-encoding", "")
    return weight(asked, "*", "gzip") > 0 and "range" not in request.headers
