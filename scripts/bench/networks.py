"""The networks of networks.mjs in PyTorch."""

import torch
from torch import nn


def blocks(kind, width=512):
    """The blocks of one column, and the width of its head's input."""
    if kind == "dense":
        return [
            nn.Sequential(nn.Flatten(), nn.Linear(784, width), nn.ReLU()),
            nn.Sequential(nn.Linear(width, width), nn.ReLU()),
        ], width
    return [
        nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Sequential(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Sequential(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU()),
    ], 64 * 7 * 7


def first_column(kind):
    layers, features = blocks(kind)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, 10))


def adam(parameters, form):
    """Adam by PyTorch's form: `default`, `foreach` or `fused`."""
    return torch.optim.Adam(parameters, lr=1e-3, **({} if form == "default" else {form: True}))
