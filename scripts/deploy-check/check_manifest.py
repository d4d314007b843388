"""Checks a KServe InferenceService with the models that KServe's own package generates from its OpenAPI: unknown fields and wrong types are errors.

    .venv-deploy/bin/python scripts/deploy-check/check_manifest.py MANIFEST.yaml

Prints the names of the KServe types that were met. Types of Kubernetes itself (V1Container, ...) are not looked into.
"""
import importlib
import importlib.util
import re
import sys
import types
from pathlib import Path

import yaml

# The package's own __init__ imports its servers and clients; its generated models need none of them.
kserve = types.ModuleType("kserve")
kserve.__path__ = list(importlib.util.find_spec("kserve").submodule_search_locations)
models = types.ModuleType("kserve.models")
models.__path__ = [str(Path(kserve.__path__[0]) / "models")]
sys.modules.update({"kserve": kserve, "kserve.models": models})

primitives = {"str": str, "int": int, "bool": bool, "float": (int, float)}
met = []


def check(value, kind, path):
    if kind in primitives:
        assert isinstance(value, primitives[kind]), f"{path}: found {value!r}, expected {kind}"
    elif kind.startswith("list["):
        for i, item in enumerate(value):
            check(item, kind[5:-1], f"{path}[{i}]")
    elif kind.startswith("dict("):
        for key, item in value.items():
            check(item, kind[5:-1].split(", ", 1)[1], f"{path}.{key}")
    else:
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower()
        if not (Path(models.__path__[0]) / f"{name}.py").exists():
            return
        model = getattr(importlib.import_module(f"kserve.models.{name}"), kind)
        fields = {json: field for field, json in model.attribute_map.items()}
        for key, item in value.items():
            assert key in fields, f"{path}.{key}: {kind} has no such field"
            check(item, model.openapi_types[fields[key]], f"{path}.{key}")
        # the constructor refuses a missing field that must be there
        model(**{fields[key]: item for key, item in value.items()})
        met.append(kind)


document = yaml.safe_load(Path(sys.argv[1]).read_text())
check(document, "V1beta1InferenceService", "manifest")
print(" ".join(sorted(set(met))))
