"""Security headers of every response: what a browser may do with it.

`Cross-Origin-*` isolate the page, without which browsers give WebAssembly no threads. There is no
CORS: pages of others have no business here.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders

PAGE_POLICY = "; ".join(
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
"""Content-Security-Policy of the page's files."""

_STRICT_POLICY = "default-src 'none'; frame-ancestors 'none'"
_DEFAULTS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": _STRICT_POLICY,
    "Cache-Control": "no-store",
}


def add_security_headers(headers: MutableHeaders) -> None:
    """Add the security headers that `headers` does not hold yet, in place."""
    for name, value in _DEFAULTS.items():
        headers.setdefault(name, value)
