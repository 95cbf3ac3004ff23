"""PyTorch as one more library of bench/peers: the twin of serve.mjs and its adapters. python3 serve.py <threads>."""

import json
import os
import resource
import sys
import time

THREADS = int(sys.argv[1])
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(THREADS)

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

torch.set_num_threads(THREADS)
M32 = 0xFFFFFFFF


def uniform(seed, count, low=-1.0, high=1.0):
    x = (torch.arange(count, dtype=torch.int64) + seed * 0x9E3779B1) & M32
    x = x ^ (x >> 16)
    x = (x * 0x7FEB352D) & M32
    x = x ^ (x >> 15)
    x = (x * 0x846CA68B) & M32
    x = x ^ (x >> 16)
    return (low + (high - low) * ((x >> 8).double() / 2**24)).float()


def weights(inputs, hidden, outputs):
    w1 = uniform(11, inputs * hidden, -1 / 28, 1 / 28).reshape(inputs, hidden)
    w2 = uniform(12, hidden * outputs, -(hidden**-0.5), hidden**-0.5).reshape(hidden, outputs)
    return w1, torch.zeros(hidden), w2


def network(inputs, hidden, outputs):
    w1, b1, w2 = weights(inputs, hidden, outputs)
    first = torch.nn.Linear(inputs, hidden)
    second = torch.nn.Linear(hidden, outputs, bias=False)
    with torch.no_grad():
        first.weight.copy_(w1.t())
        first.bias.copy_(b1)
        second.weight.copy_(w2.t())
    return torch.nn.Sequential(first, torch.nn.ReLU(), second)


MAPS = {
    "add": lambda x, y: x + y,
    "mul": lambda x, y: x * y,
    "relu": lambda x, y: torch.relu(x),
    "relu in place": lambda x, y: torch.relu_(x),
    "exp": lambda x, y: torch.exp(x),
    "log": lambda x, y: torch.log(y),
    "tanh": lambda x, y: torch.tanh(x),
    "sigmoid": lambda x, y: torch.sigmoid(x),
    "sum": lambda x, y: y.sum(),
    "mean": lambda x, y: y.mean(),
    "max": lambda x, y: x.max(),
}
ROWS = {
    "add row": lambda x, row, columns: x + row,
    "softmax": lambda x, row, columns: torch.softmax(x, 1),
    "logSoftmax": lambda x, row, columns: torch.log_softmax(x, 1),
    "layerNorm": lambda x, row, columns: F.layer_norm(x, [columns]),
}


def matmul(m, k, n, form, batch=None):
    stack = [batch] if batch else []
    count = batch or 1
    a = uniform(1, count * m * k).reshape(stack + ([k, m] if form == "TN" else [m, k]))
    b = uniform(2, count * k * n).reshape(stack + ([n, k] if form == "NT" else [k, n]))
    left = a.t() if form == "TN" else a
    right = b.t() if form == "NT" else b
    return lambda: left @ right


def map_(name, n):
    x, y = uniform(1, n), uniform(2, n, 0.01, 1)
    return lambda: MAPS[name](x, y)


def rows(name, rows, columns):
    x, row = uniform(1, rows * columns).reshape(rows, columns), uniform(2, columns)
    return lambda: ROWS[name](x, row, columns)


def convolution(count, channels, side, filters, part):
    x = uniform(1, count * channels * side * side).reshape(count, channels, side, side)
    w = uniform(2, filters * channels * 9).reshape(filters, channels, 3, 3)
    if part == "forward":
        return lambda: F.conv2d(x, w)
    g = uniform(3, count * filters * (side - 2) ** 2).reshape(count, filters, side - 2, side - 2)
    x.requires_grad_()
    w.requires_grad_()
    return lambda: torch.autograd.grad(F.conv2d(x, w), [x, w], g)[1]


def tiny(name):
    p, q = uniform(1, 16), uniform(2, 16)
    if name == "add":
        return lambda: p + q
    p.requires_grad_()

    def run():
        p.grad = None
        y = p
        for _ in range(100 if name == "graph" else 1):
            y = y * q
        y.sum().backward()
        return p.grad

    return run


def infer(batch, sizes):
    model = network(**sizes)
    x = uniform(5, batch * sizes["inputs"], 0, 1).reshape(batch, -1)

    def run():
        with torch.no_grad():
            return model(x)

    return run


WORKS = {"matmul": matmul, "map": map_, "rows": rows, "convolution": convolution, "tiny": tiny, "infer": infer}


class Training:
    """The tutorial's network; its data as tensors that were made beforehand, or through torch's own DataLoader."""

    def __init__(self, sizes, files, loader):
        self.model = network(**sizes)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.batch = files["batch"]
        with open(files["images"], "rb") as file:
            pixels = torch.frombuffer(bytearray(file.read()[16:]), dtype=torch.uint8)
        with open(files["labels"], "rb") as file:
            self.y = torch.frombuffer(bytearray(file.read()[8:]), dtype=torch.uint8).long()
        with open(files["order"], "rb") as file:
            self.order = torch.frombuffer(bytearray(file.read()), dtype=torch.int32).long()
        self.x = pixels.reshape(-1, 784).float() / 255
        self.loader = loader

    def batches(self, first, steps):
        order = self.order[first * self.batch : (first + steps) * self.batch]
        if self.loader:
            data = torch.utils.data.TensorDataset(self.x, self.y)
            return torch.utils.data.DataLoader(data, batch_size=self.batch, sampler=order.tolist())
        return ((self.x[part], self.y[part]) for part in order.split(self.batch))

    def epoch(self, first, steps):
        total = 0.0
        for x, y in self.batches(first, steps):
            loss = F.cross_entropy(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            total += loss.item()
        return total


def digest(values):
    values = values.detach().reshape(-1).double()
    count = values.numel()
    probes = [values[i * (count - 1) // 7].item() for i in range(8)]
    return {"count": count, "size": values.abs().sum().item() / count, "probes": probes}


class Server:
    def __init__(self):
        self.run = None
        self.training = None

    def time(self, count):
        start = time.perf_counter()
        for _ in range(count):
            self.run()
        return (time.perf_counter() - start) * 1000 / count

    def hello(self):
        return {"version": torch.__version__, "threads": torch.get_num_threads()}

    def prepare(self, kind, **spec):
        self.run = WORKS[kind](**spec)
        return {"ms": self.time(1), "digest": digest(self.run())}

    def warm(self, ms):
        end = time.perf_counter() + ms / 1000
        while True:
            once = self.time(1)
            if time.perf_counter() >= end:
                return {"ms": min(once, self.time(3))}

    def sample(self, count):
        return {"ms": self.time(count)}

    def train(self, files, sizes, loader=False):
        self.training = Training(sizes, files, loader)
        return {}

    def epoch(self, first, steps):
        start = time.perf_counter()
        loss = self.training.epoch(first, steps)
        return {"ms": (time.perf_counter() - start) * 1000, "loss": loss / steps}

    def memory(self):
        return {"MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6}


def answer(value):
    print("@" + json.dumps(value), flush=True)


def first_step():
    model = network(784, 500, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = uniform(1, 128 * 784, 0, 1).reshape(128, 784), torch.arange(128) % 10
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    answer({"loss": loss.item()})


def main():
    if "--first-step" in sys.argv:
        return first_step()
    server = Server()
    for line in sys.stdin:
        request = json.loads(line)
        command = request.pop("command")
        try:
            answer(getattr(server, command)(**request))
        except Exception as error:  # noqa: BLE001, the driver reports it
            answer({"error": f"{type(error).__name__}: {error}"[:600]})


main()
