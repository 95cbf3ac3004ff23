"""The operations that bench/operations asks for, in PyTorch: expressions as JSON from standard input, microseconds back."""

import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

asked = json.load(sys.stdin)
torch.set_num_threads(asked["threads"])
torch.manual_seed(0)
f = torch.randn


def whole(below, *shape):
    return torch.randint(0, below, shape)


x, y, other, rates = f(512, 512), f(512, 512), f(512, 512), torch.rand(512, 512)
mask, mask2, bytes = x > 0, y > 0, whole(255, 512, 512).to(torch.uint8)
places, counts, words, picks = whole(512, 512, 512), whole(512, 512, 512) + 1, whole(512, 32, 128), whole(512, 512)
vector, short, row, slope, divisor = f(262_144), f(512), f(512), f(1), torch.rand(512) + 1
images, channels, channel = f(16, 16, 32, 32), f(16, 1, 1), f(16)
kernel1, kernel3, kernel5 = f(32, 16, 1, 1), f(16, 16, 3, 3), f(16, 16, 5, 5)
kernel_back, kernel_each, signals, kernel1d = f(16, 16, 3, 3), f(16, 1, 3, 3), f(16, 16, 512), f(32, 16, 5)
matrices, table, heads = f(64, 64, 64), f(512, 64), f(4, 4, 128, 64)
square, right = f(100, 100), f(100, 10)
symmetric, positive = square + square.T, square @ square.T + torch.eye(100)
sequence, tokens = f(16, 32, 64), f(8, 64, 64)
lstm, gru, rnn = (kind(64, 64, batch_first=True) for kind in (nn.LSTM, nn.GRU, nn.RNN))
attention = nn.MultiheadAttention(64, 4, batch_first=True)
layer = nn.TransformerEncoderLayer(64, 4, dim_feedforward=256, batch_first=True, dropout=0)

leaves = [torch.Tensor.requires_grad_(t) for t in list(globals().values()) if torch.is_tensor(t) and t.is_floating_point()]
parameters = [p for module in (lstm, gru, rnn, attention, layer) for p in module.parameters()]


def time_of(body, count):
    start = time.perf_counter()
    for _ in range(count):
        body()
    return (time.perf_counter() - start) / count * 1e6


def best_of(body):
    for _ in range(5):
        body()
    count = max(1, min(1000, int(2000 / max(time_of(body, 1), 1))))
    return min(time_of(body, count) for _ in range(asked["samples"]))


def step_of(call):
    ones = torch.ones_like(call())

    def step():
        call().backward(ones)
        for leaf in leaves + parameters:
            leaf.grad = None

    return step


def measure(expression, gradients):
    call = eval(f"lambda: {expression}")
    if gradients:
        return best_of(step_of(call))
    with torch.no_grad():
        return best_of(call)


found = [[measure(each, kind == "gradients") for each in asked[kind]] for kind in ("forward", "gradients")]
print(json.dumps({"version": torch.__version__, "found": found}))
