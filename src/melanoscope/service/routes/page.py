"""GET / and the built files of the page.

The files are listed once, when the service starts; a path is looked up among them and never put
together, so that no request leads out of the folder.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from melanoscope.checksums import file_sha256
from melanoscope.service.http.negotiation import is_cached, preference
from melanoscope.service.routes.bundle import IMMUTABLE

_POLICY = "; ".join(
    (
        "default-src 'none'",
        # WebAssembly has to be compiled for the network to run on the device.
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_INDEX = "index.html"
_HASHED = "assets/"  # files whose names change with their content
# Copies of files for clients that read gzip; the runtime of the network is 14 MB without.
_COMPRESSED = ".gz"
_NOT_BUILT = (
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
    """Return a route for each file of the built `page`, or one that says that it is not built."""
    if page is None or not (page / _INDEX).is_file():
        return [Route("/", _not_built, name="page")]
    paths = [path for path in page.rglob("*") if path.is_file() and path.suffix != _COMPRESSED]
    file_routes = [Route("/", _file_endpoint(page / _INDEX, is_hashed=False), name="page")]
    for path in sorted(paths):
        name = path.relative_to(page).as_posix()
        endpoint = _file_endpoint(path, is_hashed=name.startswith(_HASHED))
        file_routes.append(Route(f"/{name}", endpoint, name="page"))
    return file_routes


async def _not_built(request: Request) -> Response:
    request.state.route = "page"
    return Response(_NOT_BUILT, media_type="text/plain")


def _file_endpoint(path: Path, *, is_hashed: bool) -> Callable[[Request], Awaitable[Response]]:
    headers = {
        "Cache-Control": IMMUTABLE if is_hashed else "no-cache",
        "Content-Security-Policy": _POLICY,
    }
    media = _TYPES.get(path.suffix, "application/octet-stream")
    copy = path.with_name(path.name + _COMPRESSED)
    compressed = None
    if copy.is_file():
        headers["Vary"] = "Accept-Encoding"
        compressed = (copy, headers | {"ETag": _etag(copy), "Content-Encoding": "gzip"})
    plain = (path, headers | {"ETag": _etag(path)})

    async def serve(request: Request) -> Response:
        request.state.route = "page"
        chosen = compressed if compressed is not None and _accepts_gzip(request) else plain
        file, file_headers = chosen
        if is_cached(request, file_headers["ETag"]):
            return Response(None, 304, file_headers)
        return FileResponse(file, 200, file_headers, media)

    return serve


def _etag(path: Path) -> str:
    return f'"{file_sha256(path)}"'


def _accepts_gzip(request: Request) -> bool:
    # A part of a file is a part of the file itself, not of its copy.
    accepted = request.headers.get("accept-encoding", "")
    return preference(accepted, "gzip", "*") > 0 and "range" not in request.headers
