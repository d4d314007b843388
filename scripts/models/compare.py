# The side of scripts/models/table.mjs that is no part of prognet: makes random samples that fit a model's inputs, and runs files in onnxruntime.
# Reads one JSON document of what to do on stdin and writes one on stdout.
#   python scripts/models/compare.py data|bits|forms
import json
import re
import sys

import numpy
import onnx
import onnxruntime

types = {
    "tensor(float)": numpy.float32, "tensor(float16)": numpy.float16, "tensor(int64)": numpy.int64, "tensor(int32)": numpy.int32,
    "tensor(uint8)": numpy.uint8, "tensor(bool)": numpy.bool_,
}  # fmt: skip
# What only moves or retypes ids on their way to a table.
moves = {"Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Slice", "Flatten", "Transpose", "Expand", "Concat", "Clip"}


def session(model, plain=False):
    quiet = onnxruntime.SessionOptions()
    if plain:
        quiet.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    quiet.log_severity_level = 4
    quiet.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, quiet)


def called(name):
    """An input of a file as the network calls it."""
    valid = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:100]
    return valid if re.match("[A-Za-z]", valid) else "input"


def vocabularies(model):
    """Of inputs whose values choose rows of a table: how many rows the smallest table has."""
    sizes = {v.name: list(v.dims) for v in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            sizes[node.output[0]] = list(node.attribute[0].t.dims)
    origin = {v.name: v.name for v in model.graph.input if v.name not in sizes}
    limits = {}
    for node in model.graph.node:
        if node.op_type in moves:
            found = [origin[name] for name in node.input if name in origin]
            if found:
                origin.update({name: found[0] for name in node.output})
        if node.op_type in ("Gather", "GatherND") and node.input[1] in origin and len(sizes.get(node.input[0], [])) == 2:
            axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
            name, rows = origin[node.input[1]], sizes[node.input[0]][axis]
            limits[name] = min(rows, limits.get(name, rows))
    return limits


def values(random, name, dtype, shape, limit, longest):
    if dtype in (numpy.float32, numpy.float16):
        return random.random(shape).astype(dtype)
    if dtype == numpy.uint8:
        return random.integers(0, 256, shape).astype(dtype)
    if limit is None and len(shape) < 3 and re.search("len", name, re.IGNORECASE) and numpy.prod(shape[1:]) == 1:
        return random.integers(1, longest + 1, shape).astype(dtype)
    return random.integers(0, min(limit or 2, 1000), shape).astype(dtype)


def data(asked):
    """Sixteen rows to train on and four to test on, of each input of the exported column, with random labels."""
    limits = vocabularies(onnx.load(asked["model"], load_external_data=False))
    limits = {called(name): limit for name, limit in limits.items()}
    inputs = [(i.name, types[i.type], i.shape[1:]) for i in session(asked["exported"]).get_inputs()]
    longest = min([shape[0] for _, _, shape in inputs if shape], default=1)
    random = numpy.random.default_rng(0)
    arrays, tests = {}, {}
    for name, dtype, shape in inputs:
        for part, rows in (("train", 16), ("test", 4)):
            arrays[f"{name}_{part}"] = values(random, name, dtype, [rows, *shape], limits.get(name), longest)
        tests[name] = arrays[f"{name}_test"]
    arrays["y_train"], arrays["y_test"] = numpy.arange(16) % 2, numpy.arange(4) % 2
    random.shuffle(arrays["y_train"])
    numpy.savez(asked["data"], **arrays)
    numpy.savez(asked["test"], **tests)
    computed = {name for node in onnx.load(asked["exported"]).graph.node for name in node.output}
    absent = [tap for tap in asked["taps"] if f"base/{tap}" not in computed]
    return {"vocabulary": {name: limits[name] for name, _, _ in inputs if name in limits}, "absent": absent}


def read_by(node):
    """Names that a node reads, in its bodies too."""
    bodies = [g for a in node.attribute for g in [a.g, *a.graphs]]
    return {*node.input, *(name for g in bodies for inner in g.node for name in read_by(inner)), *(o.name for g in bodies for o in g.output)}


def lift(graph, name):
    """Puts the branch of an If that computes the value in the place of the If: the one that what is fixed chooses."""
    for at, node in enumerate(graph.node):
        branch = next((a.g for a in node.attribute if any(name in inner.output for inner in a.g.node)), None)
        if branch is None:
            continue
        results = [onnx.helper.make_node("Identity", [made.name], [out]) for made, out in zip(branch.output, node.output)]
        nodes = [onnx.NodeProto.FromString(n.SerializeToString()) for n in [*graph.node[:at], *branch.node, *results, *graph.node[at + 1 :]]]
        graph.initializer.extend(branch.initializer)
        del graph.node[:]
        graph.node.extend(nodes)
        return


def giving(file, name, plain):
    """A session of the model with this value as its only output, and no node that it does not need."""
    model = onnx.load(file)
    if not any(name in node.output for node in model.graph.node):
        lift(model.graph, name)
    known = {o.name: o for o in model.graph.output}
    kept = known.get(name, onnx.helper.make_empty_tensor_value_info(name))
    del model.graph.output[:]
    model.graph.output.append(kept)
    needed, nodes = {name}, []
    for node in reversed(model.graph.node):
        if needed.intersection(node.output):
            nodes.append(node)
            needed |= read_by(node)
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in reversed(nodes)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return session(model.SerializeToString(), plain)


def fed(original, asked, tests, rows):
    """What the file asks for: samples, what was fixed, and zeros for what nothing reads."""
    feeds = {}
    for i in original.get_inputs():
        if called(i.name) in tests:
            feeds[i.name] = tests[called(i.name)]
            continue
        dims = asked["dims"]
        names = [d if isinstance(d, str) and re.search(r"\w", d) else f"{i.name}.{at}" for at, d in enumerate(i.shape)]
        shape = [d if isinstance(d, int) else dims.get(name, rows) for d, name in zip(i.shape, names)]
        feeds[i.name] = numpy.full(shape, asked["fixed"].get(i.name, 0), types[i.type])
    return feeds


def apart(asked, exported, ours, value, plain):
    """How far an exported file is from the original, relative to values over 1: of all rows at once, or of each where the file takes one."""
    exported, original = giving(exported, ours, plain), giving(asked["model"], value, plain)
    tests = dict(numpy.load(asked["test"]))
    # An output may read what no tap does.
    random = numpy.random.default_rng(1)
    for i in exported.get_inputs():
        if i.name not in tests:
            tests[i.name] = values(random, i.name, types[i.type], [4, *i.shape[1:]], None, 1)
    first = next(i for i in original.get_inputs() if called(i.name) in tests)
    single = first.shape[0] == 1
    most = 0.0
    for rows in [slice(i, i + 1) for i in range(4)] if single else [slice(0, 3)]:
        part = {name: v[rows] for name, v in tests.items()}
        (want,) = original.run(None, fed(original, asked, part, 1 if single else 3))
        (got,) = exported.run(None, {i.name: part[i.name] for i in exported.get_inputs()})
        if got.tobytes() == want.tobytes():
            continue
        if got.shape != want.shape:
            return f"[{','.join(map(str, got.shape))}] beside [{','.join(map(str, want.shape))}]"
        got, want = got.astype(float), want.astype(float)
        most = max(most, numpy.nanmax(abs(got - want) / numpy.maximum(1, abs(want))), 1e-45)
    return float(most)


def bits(asked):
    """Of each value: 0 where all bits are the same, else how far, as sessions are by default and without ONNX Runtime's rewriting of graphs."""
    found = {}
    for name, (exported, ours, value) in asked["pairs"].items():
        default = apart(asked, exported, ours, value, False)
        found[name] = default if default == 0 else {"default": default, "plain": apart(asked, exported, ours, value, True)}
    return found


def forms(asked):
    """How far the scores of exported files are, as probabilities, from what `predict` wrote."""
    tests = dict(numpy.load(asked["test"]))
    predicted = numpy.load(asked["predicted"])
    found = {}
    for form, file in asked["files"].items():
        ran = session(file)
        (scores,) = ran.run([asked["task"]], {i.name: tests[i.name] for i in ran.get_inputs()})
        e = numpy.exp(scores - scores.max(axis=1, keepdims=True))
        found[form] = float(abs(e / e.sum(axis=1, keepdims=True) - predicted).max())
    return found


print(json.dumps({"data": data, "bits": bits, "forms": forms}[sys.argv[1]](json.load(sys.stdin))))
