"""How many answers a second: the service with its clients, and the bare predictor."""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from melanoscope.hardware import available_cores
from melanoscope.inference.predictor import Predictor, load

from .clients import encode_request
from .photographs import read_photographs
from .process import cpu_seconds, size_of

CLIENTS = (1, 8, 64)
PATIENT = {"age": "45", "sex": "female", "site": "torso"}
PROGRAM = Path(__file__).parents[1] / "service_load.py"
FEW_REQUESTS = 500
ALONE = "1 caller, a network of 1 thread"


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
            *(
                sys.executable,
                str(PROGRAM),
                "--clients",
                f"{self.port}",
                f"{clients}",
                f"{seconds}",
            ),
            *(f"{count}", self.folder),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        return json.loads(done.stdout)


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
    some = size_of(pid).megabytes
    clients.run(8, count=count - FEW_REQUESTS)
    return {
        "some_mb": some,
        "many_mb": size_of(pid).megabytes,
        "some": FEW_REQUESTS,
        "many": count,
    }
