"""Tables of scikit-learn as people have them: python tables.py FOLDER writes iris.csv, wine.csv, breast_cancer.csv and diabetes.csv.

Labels are texts where they are classes. One column is turned into a category of texts, and one cell in twenty of the other columns is empty, drawn by
a fixed seed. Prints what it wrote as JSON: rows, names of the numbers, of the category and of the label, by table."""

import csv
import json
import os
import random
import sys

from sklearn import datasets

tables = {
    "iris": (datasets.load_iris, None),
    "wine": (datasets.load_wine, "color_intensity"),
    "breast_cancer": (datasets.load_breast_cancer, "mean texture"),
    "diabetes": (lambda: datasets.load_diabetes(scaled=False), "sex"),
}


def parts(values):
    """The thirds of a column as texts, its two values where it has no more."""
    known = sorted(set(values))
    if len(known) == 2:
        return [["one", "other"][known.index(v)] for v in values]
    low, high = sorted(values)[len(values) // 3], sorted(values)[2 * len(values) // 3]
    return ["low" if v < low else "middle, rather" if v < high else "high" for v in values]


def write(folder, name, load, category):
    found = load()
    draw = random.Random(7)
    columns = {n: [float(v) for v in found.data[:, i]] for i, n in enumerate(found.feature_names)}
    classes = getattr(found, "target_names", None)
    label = "target" if classes is None else "kind"
    target = [float(t) if classes is None else str(classes[t]) for t in found.target]
    texts = parts(columns.pop(category)) if category else None
    rows = []
    for i in range(len(target)):
        cells = ["" if draw.random() < 0.05 else repr(values[i]) for values in columns.values()]
        rows.append(cells + ([texts[i]] if texts else []) + [target[i]])
    draw.shuffle(rows)
    with open(os.path.join(folder, f"{name}.csv"), "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*columns, *([category] if category else []), label])
        writer.writerows(rows)
    return {"rows": len(rows), "numbers": list(columns), "category": category, "label": label}


folder = sys.argv[1]
print(json.dumps({name: write(folder, name, *how) for name, how in tables.items()}))
