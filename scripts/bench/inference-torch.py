"""Contestant: five dense columns of 256 features with adapters in PyTorch, eager, as inference-models.mjs has them. Arguments: run and the rows of
a batch, or export and a file, which torch.onnx then writes."""

import math
import statistics
import sys
import time

import torch
from torch import nn

from harness import serve

COLUMNS, WIDTH = 5, 256


class Adapter(nn.Module):
    """U relu(V [alpha_j h_j])"""

    def __init__(self, sources, out):
        super().__init__()
        self.alpha = nn.ParameterList(nn.Parameter(torch.rand(())) for _ in range(sources))
        self.v = nn.Linear(sources * WIDTH, WIDTH)
        self.u = nn.Linear(WIDTH, out, bias=False)

    def forward(self, taps):
        return self.u(torch.relu(self.v(torch.cat([a * h for a, h in zip(self.alpha, taps)], 1))))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.ModuleList(nn.Linear(784, WIDTH) for _ in range(COLUMNS))
        self.second = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(COLUMNS))
        self.heads = nn.ModuleList(nn.Linear(WIDTH, 10) for _ in range(COLUMNS))
        self.into_second = nn.ModuleList(Adapter(k, WIDTH) for k in range(1, COLUMNS))
        self.into_heads = nn.ModuleList(Adapter(k, 10) for k in range(1, COLUMNS))

    def forward(self, image):
        x = image.flatten(1)
        a = [torch.relu(f(x)) for f in self.first]
        b = [torch.relu(self.second[0](a[0]))]
        for k in range(1, COLUMNS):
            b.append(torch.relu(self.second[k](a[k]) + self.into_second[k - 1](a[:k])))
        return [self.heads[0](b[0])] + [self.heads[k](b[k]) + self.into_heads[k - 1](b[:k]) for k in range(1, COLUMNS)]


torch.set_num_threads(2)
torch.manual_seed(0)
model = Network().eval()

if sys.argv[1] == "export":
    batch = torch.export.Dim("N", min=1)
    example = (torch.rand(3, 1, 28, 28),)
    torch.onnx.export(model, example, sys.argv[2], dynamo=True, dynamic_shapes=({0: batch},), external_data=False)
    sys.exit()

rows = int(sys.argv[2])
image = (torch.arange(rows * 784) % 255 / 255).reshape(rows, 1, 28, 28)
runs = math.ceil(200 / math.sqrt(rows))


@torch.no_grad()
def measure():
    values = []
    for _ in range(runs):
        started = time.perf_counter()
        model(image)
        values.append((time.perf_counter() - started) * 1000)
    return {"ms": statistics.median(values[runs // 4 :])}


serve({"engine": f"torch {torch.__version__}"}, measure)
