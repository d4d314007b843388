"""Contestant: the last column by Doric as its README shows it: a ProgNet of dense blocks with linear laterals (it has no adapters), earlier
columns frozen. Arguments: count, rows, epochs, width."""

import sys
import time

import torch
from Doric import ProgColumn, ProgDenseBlock, ProgNet
from torch.nn import functional as F

from harness import mnist, serve

count, rows, epochs, width = (int(a) for a in sys.argv[1:5])
torch.set_num_threads(2)
torch.manual_seed(0)
images, labels = (torch.from_numpy(a) for a in mnist(rows))
images = images.flatten(1)
batch = 128


def measure():
    net = ProgNet()
    for i in range(count):
        net.freezeAllColumns()
        blocks = [
            ProgDenseBlock(784, width, 0),
            ProgDenseBlock(width, width, i),
            ProgDenseBlock(width, 10, i, activation=None),
        ]
        net.addColumn(ProgColumn(i, blocks, list(net.columns)))
    optimizer = torch.optim.Adam((p for p in net.parameters() if p.requires_grad), lr=1e-3)
    started = time.perf_counter()
    for _ in range(epochs):
        order = torch.randperm(rows)
        for at in range(0, rows, batch):
            chosen = order[at : at + batch]
            optimizer.zero_grad()
            loss = F.cross_entropy(net(count - 1, images[chosen]), labels[chosen])
            loss.backward()
            optimizer.step()
    return {"ms": (time.perf_counter() - started) * 1000, "loss": loss.item()}


serve({"engine": "Doric 1.1.1"}, measure)
