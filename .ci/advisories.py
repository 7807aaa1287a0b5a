"""Look up known vulnerabilities of everything that constraints.txt and web/package-lock.json name.

    python .ci/advisories.py

Findings fail, unless `.ci/accepted_advisories.toml` names them with a reason. Where the registry
cannot be reached, or has no advisories, that is said in one line and nothing fails. pip-audit takes
a registry without advisories for packages without vulnerabilities, so that a package that is known
to have some is looked up first.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ACCEPTED = ROOT / ".ci" / "accepted_advisories.toml"
KNOWN_TO_BE_VULNERABLE = "jinja2==2.4.1"
SECONDS = 240


class UnavailableError(Exception):
    """The advisories cannot be had; the text says why."""


@dataclass(frozen=True, order=True)
class Finding:
    """One advisory `id`, and aliases, of one `package` in its locked version."""

    package: str
    id: str
    aliases: tuple[str, ...] = ()

    def is_accepted(self, accepted: Mapping[str, str]) -> bool:
        """Return whether one of its ids is among those `accepted`."""
        return not accepted.keys().isdisjoint((self.id, *self.aliases))


def python_findings(requirements: Path) -> list[Finding]:
    """Return what is known of the packages of a file of requirements with hashes."""
    # pip-audit says of each package that a registry without advisories does not know it.
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder) / "known.txt"
        known.write_text(f"{KNOWN_TO_BE_VULNERABLE}\n")
        if not parse_pip_audit(_output(_pip_audit(known))):
            raise UnavailableError("the registry has no advisories")
    return parse_pip_audit(_output(_pip_audit(requirements)))


def node_findings(folder: Path) -> list[Finding]:
    """Return what is known of the packages of the package-lock.json of a folder."""
    return parse_npm_audit(
        _output(["npm", "--prefix", str(folder), "audit", "--json", "--fetch-retries=0"])
    )


def parse_pip_audit(text: str) -> list[Finding]:
    """Read the JSON of pip-audit."""
    dependencies = _json(text).get("dependencies")
    if not isinstance(dependencies, list):
        raise UnavailableError("no answer from the registry")
    return sorted(
        Finding(f"{one['name']} {one['version']}", each["id"], tuple(each.get("aliases", ())))
        for one in dependencies
        for each in one.get("vulns", ())  # it has none where a package could not be looked up
    )


def parse_npm_audit(text: str) -> list[Finding]:
    """Read the JSON of npm audit; its ids are those of GitHub's advisories."""
    vulnerabilities = _json(text).get("vulnerabilities")
    if not isinstance(vulnerabilities, dict):
        raise UnavailableError("no answer from the registry")
    return sorted(
        {
            Finding(name, str(via["url"]).rpartition("/")[2])
            for name, one in vulnerabilities.items()
            for via in one["via"]
            if isinstance(via, dict)  # a text names another package of the list
        }
    )


def read_accepted(file: Path) -> dict[str, str]:
    """Return the reason for each accepted advisory; one without a reason is an error."""
    accepted = tomllib.loads(file.read_text("utf-8")).get("accepted", {})
    for name, reason in accepted.items():
        if not isinstance(reason, str) or not reason.strip():
            raise SystemExit(f"advisories: expected a reason for {name}; found none; state it")
    return accepted


def report(name: str, found: Sequence[Finding], accepted: Mapping[str, str]) -> bool:
    """Print what was found by the tool of a `name`; return whether any of it is not accepted."""
    failing = [one for one in found if not one.is_accepted(accepted)]
    print(f"{name}: {len(found)} advisories, {len(found) - len(failing)} of them accepted")
    for one in failing:
        print(f"{name}: {one.package}: {one.id} {' '.join(one.aliases)}".rstrip())
    if failing:
        print(f"{name}: take newer versions, or state in {ACCEPTED.name} why it does not matter")
    return bool(failing)


def main() -> int:
    """Look up both; return the exit status."""
    accepted, failed = read_accepted(ACCEPTED), False
    for name, look_up, where in (
        ("pip-audit", python_findings, ROOT / "constraints.txt"),
        ("npm audit", node_findings, ROOT / "web"),
    ):
        try:
            failed |= report(name, look_up(where), accepted)
        except UnavailableError as error:
            print(f"{name}: skipped, {error}")
    return int(failed)


def _pip_audit(requirements: Path) -> list[str]:
    module = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"]
    return [*module, "--disable-pip", "--no-deps", "--timeout", "5", "-r", str(requirements)]


def _output(command: Sequence[str]) -> str:
    # Its status is 1 for findings and for errors alike.
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            env=_environment(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(type(error).__name__) from None
    return done.stdout


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def _json(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        raise UnavailableError("no answer from the registry") from None
    return document if isinstance(document, dict) else {}


if __name__ == "__main__":
    sys.exit(main())
