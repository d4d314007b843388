"""Contestant: the weight gradient of one convolution in PyTorch, batch 128. Arguments: channels, size, filters, kernel, stride."""

import sys
import time

import torch

from harness import serve

channels, size, filters, k, stride = (int(a) for a in sys.argv[1:6])
torch.set_num_threads(2)
x = torch.rand(128, channels, size, size) - 0.5
w = torch.rand(filters, channels, k, k)
dy = torch.rand_like(torch.conv2d(x, w, stride=stride, padding=k // 2))


def measure():
    times = []
    for _ in range(10):
        started = time.perf_counter()
        torch.nn.grad.conv2d_weight(x, w.shape, dy, stride=stride, padding=k // 2)
        times.append((time.perf_counter() - started) * 1000)
    return {"ms": sorted(times)[5]}


serve({"engine": f"torch {torch.__version__}"}, measure)
