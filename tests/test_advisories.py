"""Known vulnerabilities fail `make check`; a registry that cannot say does not pass for "none"."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
VULNERABLE = {"name": "jinja2", "version": "2.4.1", "vulns": [{"id": "PYSEC-1", "aliases": ["C"]}]}
SOUND = {"name": "numpy", "version": "2.0", "vulns": []}
UNKNOWN = {"name": "jinja2", "skip_reason": "Dependency not found on PyPI"}
NPM_SOUND = {"vulnerabilities": {}}
NPM_VULNERABLE = {
    "vulnerabilities": {
        "vite": {"via": [{"url": "https://github.com/advisories/GHSA-1"}, "esbuild"]},
        "vitest": {"via": ["vite"]},
    }
}
NPM_REFUSED = {"message": "405 Method Not Allowed", "statusCode": 405}


@pytest.fixture(scope="module")
def advisories() -> ModuleType:
    spec = importlib.util.spec_from_file_location("advisories", ROOT / ".ci" / "advisories.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["advisories"] = module
    spec.loader.exec_module(module)
    return module


def pip(*dependencies: dict) -> str:
    return json.dumps({"dependencies": dependencies})


@pytest.mark.parametrize(
    ("probe", "python", "node", "accepted", "status", "said"),
    [
        (pip(VULNERABLE), pip(SOUND), NPM_SOUND, {}, 0, ["pip-audit: 0 adv", "npm audit: 0 adv"]),
        (pip(VULNERABLE), pip(SOUND, VULNERABLE), NPM_SOUND, {}, 1, ["jinja2 2.4.1: PYSEC-1 C"]),
        (pip(VULNERABLE), pip(VULNERABLE), NPM_SOUND, {"C": "why"}, 0, ["1 of them accepted"]),
        (pip(VULNERABLE), pip(SOUND), NPM_VULNERABLE, {}, 1, ["npm audit: vite: GHSA-1"]),
        (pip(VULNERABLE), pip(SOUND), NPM_VULNERABLE, {"GHSA-1": "why"}, 0, ["1 adv"]),
        (pip(UNKNOWN), pip(UNKNOWN), NPM_REFUSED, {}, 0, ["pip-audit: skipped", "npm audit: skip"]),
        ("", "", "", {}, 0, ["pip-audit: skipped, no answer", "npm audit: skipped, no answer"]),
    ],
)
def test_findings_fail_and_silence_is_said(
    advisories, monkeypatch, capsys, probe, python, node, accepted, status, said
):
    answers = {"known.txt": probe, "constraints.txt": python}

    def output(command):
        return json.dumps(node) if command[0] == "npm" else answers[Path(command[-1]).name]

    monkeypatch.setattr(advisories, "_output", output)
    monkeypatch.setattr(advisories, "read_accepted", lambda _: accepted)
    assert advisories.main() == status
    out = capsys.readouterr().out
    for text in said:
        assert text in out


def test_what_is_accepted_has_a_reason(advisories, tmp_path):
    advisories.read_accepted(advisories.ACCEPTED)
    file = tmp_path / "accepted.toml"
    file.write_text('[accepted]\n"GHSA-1" = " "\n')
    with pytest.raises(SystemExit, match="a reason for GHSA-1"):
        advisories.read_accepted(file)


def test_all_that_is_installed_is_locked_by_hash_and_names_no_host():
    text = (ROOT / "constraints.txt").read_text("utf-8")
    packages = re.split(r"(?m)^(?=\S)", text)[1:]
    assert len(packages) > 150
    for one in packages:
        assert re.match(r"[a-z0-9._-]+==\S+( ; .*?)? \\\n( +--hash=sha256:[0-9a-f]{64}\b)", one), (
            one
        )
    assert {one.partition("==")[0] for one in packages} >= {"uv", "hatchling", "editables", "torch"}
    assert "://" not in text


def test_the_page_is_locked_by_hash_and_names_no_registry():
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text("utf-8"))
    packages = [one for name, one in lock["packages"].items() if name and not one.get("link")]
    assert len(packages) > 100
    assert not [one for one in packages if "resolved" in one]
    assert all(one["integrity"].startswith("sha512-") for one in packages)
