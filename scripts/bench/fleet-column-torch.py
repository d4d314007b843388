"""One column over a frozen base in PyTorch, as a process of its own: the peer of fleet-train.mjs. Reads the base's weights and a customer's rows, trains, measures, saves.
    fleet-column-torch.py BASE.npz CUSTOMER.npz OUT.pt EPOCHS BATCH"""

import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

base_file, data_file, out, epochs, batch = sys.argv[1:]
torch.set_num_threads(1)
torch.manual_seed(2)
with np.load(base_file) as file:
    base = [(torch.from_numpy(file[f"weight{i}"]), torch.from_numpy(file[f"bias{i}"])) for i in range(3)]
with np.load(data_file) as file:
    x, targets = torch.from_numpy(file["x"]), torch.from_numpy(file["targets"])
test = torch.arange(len(x)) % 5 == 4


def taps(rows):
    """What the column reads of the base: its three blocks."""
    given = []
    with torch.no_grad():
        for weight, bias in base:
            rows = F.relu(rows @ weight + bias)
            given.append(rows)
    return given


class Column(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(256, 32), nn.Linear(32, 32), nn.Linear(32, 16), nn.Linear(16, 10)])
        self.alpha = nn.ParameterList([nn.Parameter(torch.ones(1)) for _ in range(3)])
        self.down = nn.ModuleList([nn.Linear(width, 8) for width in (1024, 1024, 768)])
        self.up = nn.ModuleList([nn.Linear(8, width, bias=False) for width in (32, 16, 10)])

    def forward(self, rows, given):
        h = F.relu(self.layers[0](rows))
        sides = [up(F.relu(down(alpha * tap))) for up, down, alpha, tap in zip(self.up, self.down, self.alpha, given)]
        for layer, side in zip(self.layers[1:3], sides):
            h = F.relu(layer(h) + side)
        return self.layers[3](h) + sides[2]


train_x, train_y = x[~test], targets[~test]
given = taps(train_x)
column = Column()
optimizer = torch.optim.Adam(column.parameters(), lr=1e-3, fused=True)
for _ in range(int(epochs)):
    order = torch.randperm(len(train_x))
    for at in range(0, len(order), int(batch)):
        chosen = order[at : at + int(batch)]
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(column(train_x[chosen], [tap[chosen] for tap in given]), train_y[chosen])
        loss.backward()
        optimizer.step()
with torch.no_grad():
    accuracy = (column(x[test], taps(x[test])).argmax(1) == targets[test]).float().mean()
torch.save(column.state_dict(), out)
print(float(accuracy))
