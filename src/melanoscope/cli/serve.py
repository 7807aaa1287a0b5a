"""melanoscope serve: a bundle behind an API and a page."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from melanoscope.cli.options import TrustOption
from melanoscope.cli.output import say_aside
from melanoscope.cli.signals import leave_signals
from melanoscope.service.settings import Settings

_DEFAULTS = Settings()


def serve(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at; 0 for any that is free.")] = 8000,
    variant: Annotated[str, typer.Option(help="float32 or int8.")] = "float32",
    trust: TrustOption = None,
    workers: Annotated[
        int | None, typer.Option(help="Threads that answer. Default: one a core.")
    ] = None,
    queue: Annotated[
        int, typer.Option(help="Requests that may wait; others get 503.")
    ] = _DEFAULTS.queue,
    seconds: Annotated[
        float, typer.Option(help="Longest that an answer may take.")
    ] = _DEFAULTS.answer_seconds,
    megabytes: Annotated[float, typer.Option(help="Largest request.")] = _DEFAULTS.request_bytes
    / 1e6,
    megapixels: Annotated[float, typer.Option(help="Largest photograph.")] = _DEFAULTS.pixels / 1e6,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Name under which the service is reached, repeatable: a proxy's for example. This "
            "machine's own name and addresses are known. * allows every name.",
        ),
    ] = None,
    log_clients: Annotated[
        bool, typer.Option("--log-clients", help="Log addresses of clients: personal data.")
    ] = _DEFAULTS.log_clients,
) -> None:
    """Serve the API and the page of a bundle until Ctrl-C; PyTorch is not needed.

    No photograph is kept. Logs are lines of JSON on stdout.
    """
    _check_packages()
    from melanoscope.inference.predictor import load
    from melanoscope.service.server import is_local, run

    settings = Settings(
        request_bytes=_millions("megabytes", megabytes),
        pixels=_millions("megapixels", megapixels),
        answer_seconds=seconds,
        queue=queue,
        workers=_DEFAULTS.workers if workers is None else workers,
        allowed_hosts=tuple(allowed_host or ()),
        log_clients=log_clients,
    )
    # As many networks of one thread as workers: one of two threads takes 1.8 times the
    # processor's time for an answer (benchmarks/service_load.py).
    predictor = load(bundle, variant=variant, threads=1, trust=trust)

    def on_listening(address: str) -> None:
        say_aside(f"{address} (Ctrl-C stops it)")
        if not is_local(host):
            say_aside(
                "photographs travel unencrypted; put a proxy with TLS before it. "
                "Browsers give cameras and offline pages to https and localhost only."
            )

    leave_signals()  # the server finishes what it has accepted first
    run(predictor, settings, host=host, port=port, on_listening=on_listening)


def _millions(option: str, number: float) -> int:
    from melanoscope.errors import MelanoscopeError

    if not 0 < number < math.inf:
        raise MelanoscopeError(f"--{option} above 0", f"{number}", "give another limit")
    return math.ceil(number * 1e6)


def _check_packages() -> None:
    from melanoscope.errors import MelanoscopeError

    try:
        import melanoscope.service.server  # noqa: F401
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("melanoscope"):
            raise
        raise MelanoscopeError(
            "the packages of the extra [serve]",
            f"no {error.name}",
            "pip install 'melanoscope[serve]'",
        ) from None
