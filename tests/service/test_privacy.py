"""Nothing of a photograph, its file or its person is written anywhere. Real processes."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import httpx
import pytest
from PIL import ExifTags, Image

from .conftest import eventually, form, head, photograph, process, reply

NAME = "Jane Doe, left foot.jpg"
SECRET = "Jane Doe, 12 Elm Street"  # noqa: S105
PERSON = {"age": "67.25", "sex": "female", "site": "palms/soles", "prevalence": "0.0431"}


def large() -> bytes:
    """Above a megabyte, from where on other readers of forms use files; with a name in it."""
    file = io.BytesIO()
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = SECRET
    with Image.open(io.BytesIO(photograph(1200, "PNG"))) as image:
        image.save(file, "PNG", exif=exif)
    assert len(file.getvalue()) > 2_000_000
    return file.getvalue()


def written_to_disk(pid: int) -> int:
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("write_bytes"):
            return int(line.split()[1])
    return 0


def files_of(*folders: Path) -> set[Path]:
    return {path for folder in folders for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def places(tmp_path, monkeypatch):
    """All that is temporary goes into one folder."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    for name in ("TMPDIR", "TMP", "TEMP"):
        monkeypatch.setenv(name, str(folder))
    return tmp_path


def test_nothing_is_written(places: Path):
    content = large()
    with process(places, watch=True) as (running, url):
        with httpx.Client(base_url=url, timeout=30) as client:
            eventually(lambda: client.get("/readyz").is_success)
            before = files_of(places)
            disk = written_to_disk(running.pid) if Path("/proc/self/io").exists() else 0
            for path in ("/v1/diagnoses", "/v1/explanations"):
                for data in (content, content[:900_000], b"nothing"):
                    files = {"photograph": (NAME, data, "image/png")}
                    found = client.post(path, files=files, data=PERSON)
                    assert found.status_code == (200 if data is content else 422)
            client.post(
                "/v1/diagnoses", files={"photograph": (NAME, content)}, data={"age": SECRET}
            )
            client.post("/v1/diagnoses", files={SECRET: (NAME, content)})
            client.get(f"/{SECRET}?name={SECRET}", headers={"X-Name": SECRET})
            cut_off(url, content)
            if disk:
                # Pages that note when a file was read last are written, too.
                assert written_to_disk(running.pid) - disk < len(content) / 10
        assert files_of(places) == before
        running.terminate()
        out, err = running.communicate(timeout=20)
    assert running.returncode == 0
    told = [line for line in err.decode().splitlines() if line.startswith("WROTE")]
    setting_up = ("os.mkdir", "model.onnx", "gradient.onnx", "MODEL_CARD.md")
    assert [line for line in told if not any(one in line for one in setting_up)] == []
    assert len(told) >= 3  # that the watch saw the setting up shows that it watches
    log = out + err
    assert log.count(b'"route": "/v1/diagnoses"') >= 6
    for secret in (b"Jane", b"Elm", b"67.25", b"palms", b"0.0431", b"127.0.0.1"):
        assert secret not in log.partition(b'"event": "ready"')[2], secret
    assert b"female" not in log
    assert content[5000:5032] not in log
    assert content[5000:5016].hex().encode() not in log


def cut_off(url: str, content: bytes) -> None:
    import socket

    host, port = url.removeprefix("http://").split(":")
    body = form(content, PERSON)
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head(len(body)) + body[:1_500_000])
    with socket.create_connection((host, int(port))) as connection:
        broken = body.replace(b"Content-Disposition", b"Jane-Doe\r\n" * 3, 1)[:4000]
        connection.sendall(head(len(broken)) + broken)
        assert reply(connection)[0] in (400, 422)


def test_the_watch_sees_what_other_readers_would_do(places: Path):
    """What the first test would find, were the form read as frameworks do."""
    with tempfile.SpooledTemporaryFile(max_size=1024 * 1024) as file:
        file.write(large())
        assert file._rolled
