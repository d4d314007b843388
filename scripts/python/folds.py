"""Five folds of scikit-learn's tables, and what MLPClassifier behind StandardScaler makes of each: python folds.py FOLDER.

Writes NAME-FOLD.npz (x_train, y_train, x_test, y_test) and prints {name: [accuracy of each fold]} as JSON. Folds are stratified and shuffled by seed 0; the
classifier is scikit-learn's default, 100 units and 200 epochs of Adam at 0.001, by seed 0."""

import json
import os
import sys
import warnings

import numpy as np
from sklearn import datasets
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")
found = {}
for name, load in {"breast_cancer": datasets.load_breast_cancer, "wine": datasets.load_wine, "digits": datasets.load_digits}.items():
    x, y = load(return_X_y=True)
    x, y = x.astype(np.float32), y.astype(np.int64)
    found[name] = []
    for fold, (train, test) in enumerate(StratifiedKFold(5, shuffle=True, random_state=0).split(x, y)):
        np.savez(os.path.join(sys.argv[1], f"{name}-{fold}.npz"), x_train=x[train], y_train=y[train], x_test=x[test], y_test=y[test])
        model = make_pipeline(StandardScaler(), MLPClassifier(random_state=0)).fit(x[train], y[train])
        found[name].append(model.score(x[test], y[test]))
print(json.dumps(found))
