"""JSON Schemas that the page's types are generated from.

    python scripts/schemas.py FOLDER

writes ``service.json`` (what the service answers, the components of its OpenAPI document) and
``bundle.json`` (the manifest of a bundle).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from melanoscope.inference import manifest
from melanoscope.inference.predictor import Predictor
from melanoscope.service.app import create_app
from melanoscope.service.settings import Settings
from melanoscope.target import MELANOMA

COMPONENTS = "#/components/schemas/"


def service_schema() -> dict[str, Any]:
    """Return the components of the service's OpenAPI document as one JSON Schema."""
    app = create_app(_stand_in(), Settings(), None)
    schemas = app.openapi()["components"]["schemas"]
    return {"$defs": _without_titles(schemas)}


def bundle_schema() -> dict[str, Any]:
    """Return the schema of bundle.json; the manifest itself is its root."""
    schema = manifest.json_schema()
    return {**schema["$defs"].pop("BundleManifest"), "$defs": schema["$defs"]}


def _stand_in() -> Predictor:
    """Return as much of a predictor as it takes to describe the routes."""
    record = SimpleNamespace(
        network=SimpleNamespace(label=""),
        target=MELANOMA,
        graphs=SimpleNamespace(gradient=SimpleNamespace(file=None)),
        files={},
        to_dict=dict,
    )
    bundle = SimpleNamespace(folder=Path(), fingerprint="", manifest=record, card=str)
    return cast("Predictor", SimpleNamespace(bundle=bundle, threads=1))


def _without_titles(schema: Any) -> Any:
    """Copy a schema without titles, each of which would become a type; "title" may be a key."""
    if isinstance(schema, dict):
        return {
            key: value.replace(COMPONENTS, "#/$defs/") if key == "$ref" else _without_titles(value)
            for key, value in schema.items()
            if not (key == "title" and isinstance(value, str))
        }
    return [_without_titles(one) for one in schema] if isinstance(schema, list) else schema


def main() -> None:
    """Write both schemas into the folder that the command line names."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in (("service", service_schema()), ("bundle", bundle_schema())):
        (folder / f"{name}.json").write_text(json.dumps(schema, indent=1))


if __name__ == "__main__":
    main()
