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


class Rows(nn.Module):
    """The rows of an image as a sequence, through two LSTM layers; the last state."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(28, 128, 2, batch_first=True)

    def forward(self, x):
        return self.lstm(x.flatten(1, 2))[0][:, -1]


class Patches(nn.Module):
    """64 windows of an image as a sequence, through four layers of a transformer; the mean over the steps."""

    def __init__(self):
        super().__init__()
        self.windows = nn.Conv2d(1, 256, 7, 3)
        self.layers = nn.Sequential(
            *(
                nn.TransformerEncoderLayer(256, 8, 1024, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
                for _ in range(4)
            )
        )

    def forward(self, x):
        return self.layers(self.windows(x).flatten(2).transpose(1, 2)).mean(1)


def first_column(kind):
    if kind == "lstm":
        return nn.Sequential(Rows(), nn.Linear(128, 10))
    if kind == "encoder":
        return nn.Sequential(Patches(), nn.Linear(256, 10))
    layers, features = blocks(kind)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, 10))


def adam(parameters, form):
    """Adam by PyTorch's form: `default`, `foreach` or `fused`."""
    return torch.optim.Adam(parameters, lr=1e-3, **({} if form == "default" else {form: True}))


# Widths of the columns that read others, ranks of their adapters, channels of their blocks, as in networks.mjs.
WIDTH = {"dense": 256, "conv": None}
RANK = {"dense": 32, "conv": 16}
CHANNELS = [16, 32, 64]


class Column(nn.Module):
    """One column with adapters (Eq. 2 of Rusu et al. 2016) to the `sources` columns before it, as docs/decisions.md of prognet has them:
    one alpha per source, one V with bias, relu, and one U without, which joins the block's first affine layer."""

    def __init__(self, kind, sources):
        super().__init__()
        self.kind = kind
        width = WIDTH[kind]
        layers, features = blocks(kind, width)
        self.layers = nn.ModuleList(layers)
        self.head = nn.Linear(features, 10)
        self.adapters = nn.ModuleList()
        self.alphas = nn.ParameterList()
        for block in range(1, len(self.layers) + 1) if sources else []:
            head = block == len(self.layers)
            if kind == "dense":
                v, u = nn.Linear(sources * width, RANK[kind]), nn.Linear(RANK[kind], 10 if head else width, bias=False)
            else:
                channels = CHANNELS[block - 1]
                v = nn.Linear(sources * features, RANK[kind]) if head else nn.Conv2d(sources * channels, RANK[kind], 1)
                u = nn.Linear(RANK[kind], 10, bias=False) if head else nn.Conv2d(RANK[kind], CHANNELS[block], 3, padding=1, bias=False)
            self.adapters.append(nn.ModuleList([v, u]))
            self.alphas.append(nn.Parameter(torch.ones(sources)))

    def lateral(self, block, earlier):
        joined = torch.cat([t[block - 1] * a for t, a in zip(earlier, self.alphas[block - 1])], 1)
        v, u = self.adapters[block - 1]
        if block == len(self.layers):
            joined = joined.flatten(1)
        return u(torch.relu(v(joined)))

    def run(self, x, earlier):
        taps = []
        for block, layers in enumerate(self.layers):
            affine = 1 if isinstance(layers[0], nn.Flatten) else 0
            for i, layer in enumerate(layers):
                x = layer(x)
                if i == affine and block > 0 and earlier:
                    x = x + self.lateral(block, earlier)
            taps.append(x)
        return taps

    def taps(self, x, earlier):
        return self.run(x, earlier)

    def forward(self, x, earlier):
        taps = self.run(x, earlier)
        scores = self.head(taps[-1].flatten(1))
        return scores + self.lateral(len(self.layers), earlier) if earlier else scores
