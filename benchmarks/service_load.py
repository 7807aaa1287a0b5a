"""What the API costs over the predictor that it stands on, and whether its memory stays.

    python benchmarks/service_load.py BUNDLE [--seconds 5] [--rounds 5] [--memory 10000]
        [--photographs FOLDER] [--json FILE] [--markdown FILE] [--soak SECONDS]

The service is a process of its own, and so are its clients: 1, 8 and 64 connections of this
machine, each of which sends its next photograph once it has its answer. The bare predictor gets
the same photographs, as content in memory, from as many callers as the service has workers, and
answers with the same JSON. All of it runs in turn, round by round, so that a machine whose speed
drifts is fair to all; the median of the rounds' ratios is what counts. Clients, service and
predictor share the cores: what the clients take is missing to the service and not to the
predictor. CPU time per answer says what the service itself costs.

Photographs are drawn (640 x 480, JPEG), or those of a folder.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from melanoscope.hardware import available_cores
from melanoscope.inference.bundle import open_bundle
from melanoscope.inference.predictor import Predictor, load
from service_load_parts.clients import encode_request, mixed_requests
from service_load_parts.soak import soak

CLIENTS = (1, 8, 64)
PATIENT = {"age": "45", "sex": "female", "site": "torso"}
SERVE = """
import sys
from pathlib import Path
from melanoscope.cli.serve import serve
serve(Path(sys.argv[1]), port=0)
"""
FEW_REQUESTS = 500
ALONE = "1 caller, a network of 1 thread"


def drawn_photographs(count: int = 32) -> list[bytes]:
    """Draw lesions on skin: blotches with hairs and noise, so that JPEG has something to do."""
    random, found = np.random.default_rng(0), []
    y, x = np.mgrid[-0.75:0.75:480j, -1:1:640j]
    for _ in range(count):
        edge = 0.35 + 0.08 * np.sin(np.arctan2(y, x) * random.integers(3, 7) + random.random() * 6)
        inside = 1 / (1 + np.exp(40 * (np.hypot(x, y) - edge)))[..., None]
        skin, mole = random.normal((215, 170, 150), 8), random.normal((110, 70, 55), 12)
        noise = random.normal(0, 5, (480, 640, 1)) + random.normal(0, 3, (480, 640, 3))
        pixels = skin + (mole - skin) * inside + noise
        file = io.BytesIO()
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
        found.append(file.getvalue())
    return found


def send_requests(
    port: int, requests: list[bytes], start: int, until: Any, found: list[float]
) -> None:
    """Send one request after another over one connection; append each one's seconds."""
    turn = start
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while until(len(found)):
            sent = time.perf_counter()
            connection.sendall(requests[turn % len(requests)])
            head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"expected 200; found {head[:40]!r}")
            left = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]) - len(body)
            while left > 0:
                left -= len(connection.recv(65536))
            found.append(time.perf_counter() - sent)
            turn += 1


def clients_main(port: int, clients: int, seconds: float, count: int, folder: str) -> None:
    """Be the clients; print what was found as JSON."""
    requests = [
        encode_request(one, {**PATIENT, "force": "true"}) for one in read_photographs(folder)
    ]
    end, found = time.perf_counter() + seconds, []

    def until(done: int) -> bool:
        return time.perf_counter() < end if not count else done < count

    started, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(clients) as pool:
        for one in [
            pool.submit(send_requests, port, requests, 7 * n, until, found) for n in range(clients)
        ]:
            one.result()
    took = time.perf_counter() - started
    cpu = time.process_time() - cpu
    print(json.dumps({"seconds": took, "cpu": cpu, "latencies": found}))


class Clients:
    """Runs clients in a process of their own."""

    def __init__(self, port: int, folder: str) -> None:
        self.port, self.folder = port, folder

    def run(self, clients: int, *, seconds: float = 0, count: int = 0) -> dict[str, Any]:
        """Return requests per second and latencies."""
        command = [
            *(sys.executable, __file__, "--clients", f"{self.port}", f"{clients}", f"{seconds}"),
            *(f"{count}", self.folder),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        return json.loads(done.stdout)


def read_photographs(folder: str) -> list[bytes]:
    """Read or draw the photographs."""
    if not folder:
        return drawn_photographs()
    paths = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in (".jpg", ".png"))
    return [path.read_bytes() for path in paths[:200]]


def predictor_rate(
    predictor: Predictor, photographs: list[bytes], callers: int, seconds: float
) -> dict:
    """Ask the predictor itself, from several threads; return answers per second and CPU."""
    end = time.perf_counter() + seconds

    def call(start: int) -> int:
        turn = start
        while time.perf_counter() < end:
            content = photographs[turn % len(photographs)]
            json.dumps(predictor.diagnose(content, **PATIENT, force=True).to_dict())
            turn += 1
        return turn - start

    cpu, started = time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(callers) as pool:
        done = sum(pool.map(call, (7 * n for n in range(callers))))
    took = time.perf_counter() - started
    return {"rate": done / took, "cpu_ms": 1000 * (time.process_time() - cpu) / done}


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_megabytes(pid: int) -> float:
    """Return the resident megabytes of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def run_rounds(options: argparse.Namespace, pid: int, clients: Clients) -> dict[str, Any]:
    """Measure memory while the service is fresh, then rates in rounds."""
    memory = memory_growth(options.memory, pid, clients)
    photographs, workers = read_photographs(options.photographs), available_cores()
    alone = load(options.bundle, threads=1)
    whole = load(options.bundle)
    rounds: dict[str, list[dict[str, float]]] = {}
    for turn in range(options.rounds + 1):
        for name, predictor, callers in (
            (ALONE, alone, 1),
            (f"1 caller, a network of {workers} threads", whole, 1),
            (f"{workers} callers, networks of 1 thread", alone, workers),
        ):
            found = predictor_rate(predictor, photographs, callers, options.seconds)
            rounds.setdefault(name, []).append(found)
        for number in CLIENTS:
            before = cpu_seconds(pid)
            got = clients.run(number, seconds=options.seconds)
            latencies = np.array(got["latencies"]) * 1000
            answers = len(latencies)
            rounds.setdefault(f"API, {number} client{'s' * (number > 1)}", []).append(
                {
                    "rate": answers / got["seconds"],
                    "cpu_ms": 1000 * (cpu_seconds(pid) - before) / answers,
                    "p50_ms": float(np.quantile(latencies, 0.5)),
                    "p99_ms": float(np.quantile(latencies, 0.99)),
                    "n": answers,
                }
            )
        if turn == 0:
            rounds.clear()  # the first round warms up
        print(f"round {turn} of {options.rounds}", file=sys.stderr)
    return {"rounds": rounds, "memory": memory}


def memory_growth(count: int, pid: int, clients: Clients) -> dict[str, float]:
    """Measure the service's memory after some requests more, and after many."""
    if not count:
        return {}
    clients.run(8, count=FEW_REQUESTS)
    some = resident_megabytes(pid)
    clients.run(8, count=count - FEW_REQUESTS)
    return {
        "some_mb": some,
        "many_mb": resident_megabytes(pid),
        "some": FEW_REQUESTS,
        "many": count,
    }


def summarize(found: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Return medians, and ratios of each round to its own bare predictor."""
    rounds = found["rounds"]
    bares = [name for name in rounds if not name.startswith("API")]
    best = max(bares, key=lambda name: statistics.median(one["rate"] for one in rounds[name]))
    rows = {}
    for name, several in rounds.items():
        row = {key: statistics.median(one[key] for one in several) for key in several[0]}
        # One client is one caller of the service's own predictor; many may have all of the machine.
        against = ALONE if name == "API, 1 client" else best
        if name not in bares:
            pairs = zip(several, rounds[against], strict=True)
            row["share"] = statistics.median(a["rate"] / b["rate"] for a, b in pairs)
            row["n"] = sum(one["n"] for one in several)
            row["against"] = against
        rows[name] = row
    bundle = open_bundle(options.bundle)
    return {
        "what": "requests per second of the API against the bare predictor",
        "bundle": bundle.manifest.name,
        "px": bundle.image_size,
        "machine": {
            "processor": processor(),
            "cores": available_cores(),
            "python": platform.python_version(),
        },
        "seconds": options.seconds,
        "rounds": options.rounds,
        "photographs": options.photographs or "drawn, 640 x 480",
        "load_average": os.getloadavg()[0],
        "rows": rows,
        "memory": found["memory"],
    }


def processor() -> str:
    """Return the processor's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def markdown(summary: dict[str, Any]) -> str:
    """Write a table for people."""
    machine = summary["machine"]
    about = (
        f"{summary['bundle']}, {summary['px']} px; {machine['cores']} cores of "
        f"{machine['processor']}; photographs {summary['photographs']}; median of "
        f"{summary['rounds']} rounds of {summary['seconds']:g} s; load average at the end "
        f"{summary['load_average']:.1f}"
    )
    columns = (
        *("answers per second", "share of the bare predictor", "p50, ms", "p99, ms"),
        *("CPU, ms per answer", "n"),
    )
    lines = [about, "", f"| | {' | '.join(columns)} |", "| --- |" + " ---: |" * len(columns)]
    for name, row in summary["rows"].items():
        cells = [
            name,
            f"{row['rate']:.1f}",
            *(_cell(row, key) for key in ("share", "p50_ms", "p99_ms")),
        ]
        lines.append(f"| {' | '.join(cells)} | {row['cpu_ms']:.1f} | {row.get('n', '')} |")
    memory = summary["memory"]
    if memory:
        grown = memory["many_mb"] / memory["some_mb"] - 1
        sentence = (
            f"Memory: {memory['some_mb']:.0f} MB after {memory['some']} requests, "
            f"{memory['many_mb']:.0f} MB after {memory['many']} ({grown:+.1%})."
        )
        lines += ["", sentence]
    return "\n".join(lines) + "\n"


def _cell(row: dict[str, float], key: str) -> str:
    return "" if key not in row else f"{row[key]:.2f}" if key == "share" else f"{row[key]:.1f}"


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
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(options.bundle)], stdout=subprocess.PIPE, text=True
    ) as service:
        assert service.stdout is not None  # noqa: S101
        address = json.loads(service.stdout.readline())["address"]
        # Its log has to go somewhere, or it would stop once the pipe is full.
        with ThreadPoolExecutor(1) as reader:
            reader.submit(lambda: [None for _ in service.stdout or ()])
            try:
                wait_for(address)
                if options.soak:
                    print_soak(service.pid, int(address.rpartition(":")[2]), options)
                    return
                clients = Clients(int(address.rpartition(":")[2]), options.photographs)
                summary = summarize(run_rounds(options, service.pid, clients), options)
            finally:
                service.terminate()
    text = markdown(summary)
    if options.json:
        options.json.write_text(json.dumps(summary, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(text)
    print(text)


def print_soak(pid: int, port: int, options: argparse.Namespace) -> None:
    """Offer mixed requests at twice the capacity of the service, and print what it did."""
    photographs = read_photographs(options.photographs)
    some = mixed_requests(photographs, _huge_photograph(), 500)
    found = soak(pid, port, some, clients=16, seconds=options.soak, measured=options.seconds)
    print(json.dumps(found.summary(), indent=1))


def _huge_photograph() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (5000, 4000), (220, 180, 160)).save(file, "JPEG")
    return file.getvalue()


def wait_for(address: str) -> None:
    """Wait until the service is ready."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/readyz"):  # noqa: S310 - our own service
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the service was not ready within a minute")


if __name__ == "__main__":
    main()
