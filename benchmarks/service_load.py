"""What the API costs over the predictor that it stands on, and what it does under overload.

    python benchmarks/service_load.py BUNDLE [--seconds 5] [--rounds 5] [--memory 10000]
        [--photographs FOLDER] [--json FILE] [--markdown FILE]
    python benchmarks/service_load.py BUNDLE --soak SECONDS [--apart] [--json FILE]

The service is a process of its own, and so are its clients: 1, 8 and 64 connections of this
machine, each of which sends its next photograph once it has its answer. The bare predictor gets
the same photographs, as content in memory, from as many callers as the service has workers, and
answers with the same JSON. All of it runs in turn, round by round, so that a machine whose speed
drifts is fair to all; the median of the rounds' ratios is what counts. Clients, service and
predictor share the cores: what the clients take is missing to the service and not to the
predictor. CPU time per answer says what the service itself costs.

--soak offers mixed requests at twice the capacity instead, whether those before are answered or
not; --apart gives the service one core and one worker, and the clients another core.

Photographs are drawn (640 x 480, JPEG), or those of a folder.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path

from melanoscope.hardware import available_cores
from melanoscope.service.settings import Settings
from service_load_parts.clients import mixed_requests
from service_load_parts.photographs import huge_photograph, read_photographs
from service_load_parts.process import processor, running_service
from service_load_parts.rates import Clients, clients_main, run_rounds
from service_load_parts.soak import soak, told_by
from service_load_parts.summary import markdown, summarize


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--clients"]:
        port, number, seconds, count, folder = sys.argv[2:]
        clients_main(int(port), int(number), float(seconds), int(count), folder)
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", type=int, default=10_000, help="Requests; 0: not measured.")
    parser.add_argument("--photographs", default="")
    parser.add_argument("--soak", type=float, default=0.0, help="Only twice its capacity, so long.")
    parser.add_argument("--apart", action="store_true", help="Clients on a core of their own.")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    if options.soak:
        summary = flood(options)
        text = json.dumps(summary, indent=1) + "\n"
    else:
        with running_service(options.bundle) as service:
            clients = Clients(service.port, options.photographs)
            summary = summarize(run_rounds(options, service.pid, clients), options)
        text = markdown(summary)
    if options.json:
        options.json.write_text(json.dumps(summary, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(text)
    print(text)


def flood(options: argparse.Namespace) -> dict[str, object]:
    """Offer mixed requests at twice the capacity of the service, and return what it did."""
    some = mixed_requests(read_photographs(options.photographs), huge_photograph(), 500)
    cores = sorted(os.sched_getaffinity(0))
    workers = 1 if options.apart else available_cores()
    limits = Settings(workers=workers)
    with running_service(
        options.bundle, workers=workers, core=cores[0] if options.apart else None
    ) as service:
        if options.apart:
            os.sched_setaffinity(0, {cores[-1]})
        found = soak(
            service.pid,
            service.port,
            some,
            clients=limits.queue // 2,
            seconds=options.soak,
            measured=options.seconds,
        )
    return {
        "what": "twice as many requests per second as the service answers",
        "bundle": options.bundle.name,
        "machine": {"processor": processor(), "python": platform.python_version()},
        "cores": 1 if options.apart else len(cores),
        "clients_apart": options.apart,
        "workers": workers,
        "seconds": options.soak,
        "load_average": os.getloadavg()[0],
        "clients": found.summary(limits.queue + limits.batch * workers),
        "service": told_by(service.log, found),
    }


if __name__ == "__main__":
    main()
