"""Writes the signatures of ops (src/onnx/ops/signatures*.ts) from the schemas that the packages onnx and onnxruntime hold, and the methods of
the graph builder (src/onnx/ops/methods.ts), which are one an op.

    python signatures.py FOLDER

Of a schema only facts are taken: names, versions, arity, dtypes, attributes. The newest version of an op stands in its row; `before` says what
was otherwise in older ones.
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy
import onnx
from onnx import defs
from onnxruntime.capi.onnxruntime_pybind11_state import get_all_operator_schema

# The newest opset of ai.onnx that onnxruntime-node 1.30 takes.
NEWEST = 26
VERSIONS = {"": NEWEST, "ai.onnx.ml": 5, "com.microsoft": 1}

Json = dict[str, "str | int | float | bool | list | dict | None"]


def option(parameter) -> str:
    """Optional or Variadic of both packages' enumerations."""
    return str(parameter.option).rsplit(".", 1)[-1]


def name_of(parameter, minimum: int, index: int) -> str:
    name = parameter.name.rstrip(".").strip()
    assert name.isidentifier(), name
    if option(parameter) == "Variadic":
        least = getattr(parameter, "min_arity", minimum - index)
        return f"{name}*?" if least <= 0 else f"{name}*"
    return f"{name}?" if option(parameter) == "Optional" else name


DTYPES = {"float": "float32", "double": "float64"}


def type_name(text: str) -> str:
    """`seq(tensor(float))` to `seq(float32)`."""
    text = text.replace(" ", "")
    if text.startswith("tensor("):
        return DTYPES.get(text[7:-1], text[7:-1])
    if text.startswith("map("):
        key, value = text[4:-1].split(",", 1)
        return f"map({type_name(key)},{type_name(value)})"
    for kind in ("seq", "optional", "sparse_tensor"):
        if text.startswith(f"{kind}("):
            return f"{kind}({type_name(text[len(kind) + 1 : -1])})"
    return DTYPES.get(text, text)


ORDER = "float32 float64 float16 bfloat16 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool string complex64 complex128".split()


def type_list(names) -> str:
    found = {type_name(n) for n in names}
    return " ".join(sorted(found, key=lambda n: (n.count("("), n.split("(")[0] if "(" in n else "", ORDER.index(n) if n in ORDER else 99, n)))


def type_of(parameter, variables) -> str:
    text = parameter.type_str if hasattr(parameter, "type_str") else parameter.typeStr
    homogeneous = parameter.is_homogeneous if hasattr(parameter, "is_homogeneous") else parameter.isHomogeneous
    return (text if text in variables else type_name(text)) + ("" if homogeneous else "~")


def default_of(attribute):
    """The default as JSON, None where there is none that JSON holds."""
    if hasattr(attribute, "default_value"):
        value = attribute.default_value
    else:
        value = onnx.AttributeProto.FromString(attribute._default_value)
    kinds = onnx.AttributeProto
    if value.type == kinds.FLOAT:
        # the shortest decimal that is the same float32
        return float(str(numpy.float32(value.f)))
    if value.type == kinds.INT:
        return value.i
    if value.type == kinds.STRING:
        return value.s.decode()
    if value.type in (kinds.INTS, kinds.FLOATS, kinds.STRINGS):
        found = onnx.helper.get_attribute_value(value)
        return [v.decode() if isinstance(v, bytes) else v for v in found]
    return None


def kind_of(attribute) -> str:
    kind = str(attribute.type).rsplit(".", 1)[-1].lower()
    return {"type_proto": "type"}.get(kind, kind)


def attribute(a) -> Json:
    row: Json = {"kind": kind_of(a)}
    if a.required:
        row["required"] = True
    elif (default := default_of(a)) is not None:
        row["default"] = default
    return row


def row(schema) -> Json:
    minimum = schema.min_input
    types = {}
    for c in schema.type_constraints:
        types[c.type_param_str] = type_list(c.allowed_type_strs)
    clash = [name for name in types if name in ORDER]
    assert not clash, clash
    return {
        "inputs": " ".join(name_of(p, minimum, i) for i, p in enumerate(schema.inputs)),
        "outputs": " ".join(name_of(p, schema.min_output, i) for i, p in enumerate(schema.outputs)),
        "inputTypes": " ".join(type_of(p, types) for p in schema.inputs),
        "outputTypes": " ".join(type_of(p, types) for p in schema.outputs),
        "types": types,
        "attributes": {name: attribute(a) for name, a in sorted(schema.attributes.items())},
    }


def difference(newer: Json, older: Json) -> Json:
    """What an older version has otherwise: whole texts, single types and attributes; null for an attribute that it lacks."""
    out: Json = {k: older[k] for k in ("inputs", "outputs", "inputTypes", "outputTypes") if older[k] != newer[k]}
    types = {k: v for k, v in older["types"].items() if newer["types"].get(k) != v}
    if types:
        out["types"] = types
    attributes = {k: v for k, v in older["attributes"].items() if newer["attributes"].get(k) != v}
    attributes.update({k: None for k in newer["attributes"] if k not in older["attributes"]})
    if attributes:
        out["attributes"] = attributes
    return out


def signature(history) -> Json:
    history = sorted(history, key=lambda s: s.since_version)
    out: Json = {"versions": [s.since_version for s in history]}
    # GroupNormalization 18, which ONNX withdrew when 21 came, has a schema as any other and ONNX Runtime takes it.
    valid = [s for s in history if not s.deprecated or s.since_version != history[-1].since_version]
    gone = [s.since_version for s in history if s not in valid]
    if gone:
        out["deprecated"] = gone[0]
    newest = row(valid[-1])
    out.update(newest)
    before: Json = {}
    for newer, older in zip(reversed(valid), list(reversed(valid))[1:]):
        changes = difference(row(newer), row(older))
        if changes:
            before[str(newer.since_version)] = changes
    if before:
        out["before"] = before
    return out


def words(spec: str) -> str:
    def word(p: str) -> str:
        if p.endswith("*?"):
            return f"{p[:-2]} (any number)"
        if p.endswith("*"):
            return f"{p[:-1]} (one or more)"
        return f"{p[:-1]} (optional)" if p.endswith("?") else p

    return ", ".join(word(p) for p in spec.split()) or "none"


def doc(domain: str, name: str, s: Json) -> str:
    title = f"{name} of {domain or 'ai.onnx'} {s['versions'][-1]}"
    if "deprecated" in s:
        title += " (deprecated)"
    one = lambda spec, noun: noun if len(spec.split()) == 1 and "*" not in spec else f"{noun}s"
    address = {
        "": f"https://onnx.ai/onnx/operators/onnx__{name}.html",
        "ai.onnx.ml": f"https://onnx.ai/onnx/operators/onnx_aionnxml_{name}.html",
        "com.microsoft": f"https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.{name}",
    }[domain]
    inputs = "no inputs" if s["inputs"] == "" else f"{one(s['inputs'], 'input')} {words(s['inputs'])}"
    return f"{title}: {inputs}; {one(s['outputs'], 'output')} {words(s['outputs'])}. {address}"


def text(value, lists: dict[str, str]) -> str:
    """A value as TypeScript. Lists of types that many rows share are constants."""
    if isinstance(value, dict):
        inner = ", ".join(f"{k}: {text(v, lists)}" for k, v in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(text(v, lists) for v in value)}]"
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, str):
        if value in lists:
            return lists[value]
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return repr(value)


def type_lists(value) -> list[str]:
    if not isinstance(value, dict):
        return []
    out = list(value.get("types", {}).values()) if isinstance(value.get("types"), dict) else []
    return out + [t for v in value.values() if isinstance(v, dict) for t in type_lists(v)]


def write(path: Path, domain: str, export: str, source: str, schemas) -> None:
    history = defaultdict(list)
    for s in schemas:
        if s.domain == domain and s.since_version <= VERSIONS[domain]:
            history[s.name].append(s)
    rows = {name: signature(history[name]) for name in sorted(history)}
    counts = Counter(t for s in rows.values() for t in type_lists(s))
    shared = [t for t, n in counts.items() if n > 2 and len(t) > 20]
    lists = {t: f"t{i}" for i, t in enumerate(sorted(shared, key=lambda t: (len(t), t)))}
    spelled = domain or "ai.onnx"
    lines = [
        f"// The signatures of the ops of {spelled}, one row an op: data alone, no rule. Written by `sh scripts/signatures` from {source};",
        "// do not edit. signature.ts explains the fields.",
        "",
        *(f"const {name} = '{t}';" for t, name in lists.items()),
        "",
        f"export const {export} = {{",
    ]
    for name, s in rows.items():
        lines.append(f"  /** {doc(domain, name, s)} */")
        lines.append(f"  {name}: {text(s, lists)},")
    lines.append("} as const;")
    path.write_text("\n".join(lines) + "\n")


def method(name: str) -> str:
    """`Gemm` to `gemm`, `LSTM` to `lstm`, `MatMul` to `matMul`."""
    return name.lower() if name == name.upper() else name[0].lower() + name[1:]


def write_methods(path: Path, source: str, schemas) -> None:
    """An interface's members, since editors show the documentation of these and not of a mapped type's."""
    history = defaultdict(list)
    for s in schemas:
        if s.domain == "" and s.since_version <= NEWEST:
            history[s.name].append(s)
    rows = {name: signature(history[name]) for name in sorted(history)}
    lines = [
        f"// The methods of the graph builder, one an op of ai.onnx that is not deprecated. Written by `sh scripts/signatures` from {source};",
        "// do not edit. Constant has none: the builder's own `constant` makes constants.",
        "import type { Method } from './typed-builder.js';",
    ]
    several = {n: " " in s["outputs"] or "*" in s["outputs"] for n, s in rows.items()}
    for head, wanted in (
        ("/** Ops with several outputs, or with as many as are asked for. */\nexport interface SeveralMethods<Result> {", True),
        ("/** Every op. */\nexport interface Methods<Result> extends SeveralMethods<Result> {", False),
    ):
        lines += ["", head]
        for name, s in rows.items():
            if several[name] == wanted and name != "Constant" and "deprecated" not in s:
                lines += [f"  /** {doc('', name, s)} */", f"  readonly {method(name)}: Method<'{name}', Result>;"]
        lines.append("}")
    path.write_text("\n".join(lines) + "\n")


def main() -> None:
    folder = Path(sys.argv[1])
    standard = defs.get_all_schemas_with_history()
    ours = f"the Python package onnx {onnx.__version__}, opset {NEWEST}"
    write(folder / "signatures.ts", "", "signatures", ours, standard)
    write_methods(folder / "methods.ts", ours, standard)
    write(folder / "signatures-ml.ts", "ai.onnx.ml", "mlSignatures", f"the Python package onnx {onnx.__version__}", standard)
    import onnxruntime

    theirs = f"the Python package onnxruntime {onnxruntime.__version__}"
    write(folder / "signatures-microsoft.ts", "com.microsoft", "microsoftSignatures", theirs, get_all_operator_schema())


main()
