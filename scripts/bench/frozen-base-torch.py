"""Contestant: the same as frozen-base-prognet.mjs in PyTorch, the base in eval mode under no_grad, fused Adam. Arguments: images, epochs."""

import sys
import time

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from harness import serve

images, epochs = (int(a) for a in sys.argv[1:3])
torch.set_num_threads(2)
torch.manual_seed(0)
batch, rank = 32, 16
base = torchvision.models.resnet50(weights=None).eval().requires_grad_(False)
stem = nn.Sequential(*[m for name, m in base.named_children() if name not in ("avgpool", "fc")])
pixels = torch.rand(images, 3, 224, 224) * 2 - 1
labels = torch.arange(images) % 10


class Column(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 16, 7, stride=4, padding=3)
        self.second = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.alpha = nn.Parameter(torch.ones(2))
        self.v1 = nn.Conv2d(2048, rank, 1)
        self.u1 = nn.Conv2d(rank, 32, 3, stride=2, padding=1, bias=False)
        self.v2 = nn.Linear(2048, rank)
        self.u2 = nn.Linear(rank, 10, bias=False)
        self.head = nn.Linear(32 * 7 * 7, 10)

    def forward(self, x, last, pooled):
        x = F.max_pool2d(F.relu(self.first(x)), 4)
        wide = F.interpolate(last, size=x.shape[2:], mode="bilinear")
        x = F.relu(self.second(x) + self.u1(F.relu(self.v1(self.alpha[0] * wide))))
        return self.head(x.flatten(1)) + self.u2(F.relu(self.v2(self.alpha[1] * pooled)))


def measure():
    column = Column()
    started = time.perf_counter()
    optimizer = torch.optim.Adam(column.parameters(), fused=True)
    for _ in range(epochs):
        order = torch.randperm(images)
        total = 0.0
        for at in range(0, images, batch):
            chosen = order[at : at + batch]
            x, y = pixels[chosen], labels[chosen]
            with torch.no_grad():
                last = stem(x)
                pooled = last.mean((2, 3))
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(column(x, last, pooled), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(chosen)
    return {"ms": (time.perf_counter() - started) * 1000, "loss": total / images}


serve({"engine": f"torch {torch.__version__}, torchvision {torchvision.__version__}"}, measure)
