"""scikit-learn's measures: python measures.py FILE, where FILE is JSON: {"kind": "classify"|"binary"|"regress", "scores": [...], "targets": [...]}.

Prints {"overall": {name: value}, "outputs": [{"support": n, "measures": {name: value}}], "confusion": [[n]]} as JSON."""

import json
import sys

import numpy as np
from sklearn import metrics


def of_classes(scores, targets):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances, answers = powers / powers.sum(axis=1, keepdims=True), scores.argmax(axis=1)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(targets, answers)
    return {
        "overall": {
            "accuracy": metrics.accuracy_score(targets, answers),
            "balanced accuracy": metrics.balanced_accuracy_score(targets, answers),
            "macro f1": metrics.f1_score(targets, answers, average="macro"),
            "macro auc": metrics.roc_auc_score(targets, chances, multi_class="ovr"),
            "top 5 accuracy": metrics.top_k_accuracy_score(targets, scores, k=5),
        },
        "outputs": [
            {
                "support": int(support[i]),
                "measures": {"precision": precision[i], "recall": recall[i], "f1": f1[i], "auc": metrics.roc_auc_score(targets == i, chances[:, i])},
            }
            for i in range(scores.shape[1])
        ],
        "confusion": metrics.confusion_matrix(targets, answers).tolist(),
    }


def of_labels(scores, targets):
    answers = scores > 0
    precision, recall, f1, support = metrics.precision_recall_fscore_support(targets, answers)
    columns = range(scores.shape[1])
    accuracy = [metrics.accuracy_score(targets[:, i], answers[:, i]) for i in columns]
    balanced = [metrics.balanced_accuracy_score(targets[:, i], answers[:, i]) for i in columns]
    auc = [metrics.roc_auc_score(targets[:, i], scores[:, i]) for i in columns]
    return {
        "overall": {"accuracy": np.mean(accuracy), "balanced accuracy": np.mean(balanced), "macro f1": np.mean(f1), "macro auc": np.mean(auc)},
        "outputs": [
            {
                "support": int(support[i]),
                "measures": {"accuracy": accuracy[i], "precision": precision[i], "recall": recall[i], "f1": f1[i], "auc": auc[i]},
            }
            for i in columns
        ],
    }


def of_numbers(scores, targets):
    of = {"mae": metrics.mean_absolute_error, "rmse": metrics.root_mean_squared_error, "r2": metrics.r2_score}
    return {
        "overall": {name: measure(targets, scores) for name, measure in of.items()},
        "outputs": [
            {"support": len(targets), "measures": {name: measure(targets[:, i], scores[:, i]) for name, measure in of.items()}}
            for i in range(scores.shape[1])
        ],
    }


with open(sys.argv[1]) as file:
    given = json.load(file)
measures = {"classify": of_classes, "binary": of_labels, "regress": of_numbers}[given["kind"]]
print(json.dumps(measures(np.array(given["scores"]), np.array(given["targets"]))))
