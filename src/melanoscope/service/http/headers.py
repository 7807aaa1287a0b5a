"""Headers of every response: what a browser may do with it, and what not.

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
"""Content-Security-Policy of the page."""

STRICT_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""Of everything else."""

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": STRICT_POLICY,
    "Cache-Control": "no-store",
}


def secure(headers: MutableHeaders) -> None:
    """Add what is not there yet."""
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
