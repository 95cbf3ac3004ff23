"""The PyTorch half of `npm run verify:pytorch`: goes on with what wasmgrad saved, then saves for it to go on.

  python3 exchange.py FOLDER        needs torch and numpy; files are read with the reader in test/support

Prints JSON: for each network how far the outputs and the later weights are from wasmgrad's.
"""
import json
import pathlib
import re
import sys

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "support"))
from safetensors import read  # noqa: E402, the one of test/support

STEPS = 3
DTYPES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64, "U8": torch.uint8}


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(5, 6, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(12, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


class Attentive(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.encoder(x).mean(1))


NETWORKS = {
    "linear": lambda: nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)),
    "convolution": lambda: nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 3)
    ),
    "lstm": Recurrent,
    "transformer": Attentive,
}
OPTIMIZERS = {
    "linear": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "convolution": lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True),
    "lstm": lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    "transformer": lambda p: torch.optim.AdamW(p, lr=0.01, eps=1e-3),
}


def tensors_in(path):
    """Tensors of a safetensors file by name, and its metadata."""
    content = read(path)
    tensors = {}
    for name, info in content["tensors"].items():
        data = bytearray.fromhex(info["hex"])
        flat = torch.frombuffer(data, dtype=DTYPES[info["dtype"]]) if data else torch.zeros(0)
        tensors[name] = flat.reshape(info["shape"])
    return tensors, content["metadata"]


def decoded(value, tensors):
    """A value of a checkpoint's structure: see src/io/tree.ts."""
    if isinstance(value, list):
        return [decoded(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if "$tensor" in value:
        return tensors[value["$tensor"]]
    if "$undefined" in value:
        return None
    assert not any(key.startswith("$") for key in value), value
    return {key: decoded(item, tensors) for key, item in value.items()}


def renamed(value):
    """An optimiser's state under PyTorch's names: expAvg is exp_avg, and parameters are numbers."""
    if isinstance(value, list):
        return [renamed(item) for item in value]
    if not isinstance(value, dict):
        return value
    names = {key: int(key) if key.isdigit() else re.sub("[A-Z]", lambda c: "_" + c[0].lower(), key) for key in value}
    return {names[key]: renamed(item) for key, item in value.items() if item is not None}


def distance(ours, theirs):
    """The largest difference, as a part of the largest value."""
    scale = max(1.0, float(ours.double().abs().max()))
    return float((ours.double() - theirs.double()).abs().max()) / scale


def later(model, optimizer, x, y):
    model.train()
    for _ in range(STEPS):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    return model.state_dict()


def outputs(model, x):
    model.eval()
    return model(x).detach()


def exchange(folder, name):
    given = {key: torch.from_numpy(value) for key, value in np.load(folder / f"{name}.given.npz").items()}
    x, y = given.pop("x"), given.pop("y")
    model = NETWORKS[name]()
    weights, _ = tensors_in(folder / f"{name}.safetensors")
    model.load_state_dict(weights)
    seen = {"outputs": distance(outputs(model, x), given.pop("outputs"))}

    model = NETWORKS[name]()
    optimizer = OPTIMIZERS[name](model.parameters())
    tensors, metadata = tensors_in(folder / f"{name}.checkpoint")
    state = decoded(json.loads(metadata["wasmgrad.structure"]), tensors)
    model.load_state_dict(state["model"])
    groups = optimizer.state_dict()["param_groups"]
    saved = renamed(state["optimizer"])
    # Options that are only there, such as foreach, keep their defaults.
    saved["param_groups"] = [{**ours, **group} for ours, group in zip(groups, saved["param_groups"])]
    optimizer.load_state_dict(saved)
    after = later(model, optimizer, x, y)
    assert set(after) == set(given), (sorted(after), sorted(given))
    seen["weights"] = max(distance(after[key], value) for key, value in given.items())

    torch.save(
        {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "outputs": outputs(model, x)},
        folder / f"{name}.pt",
    )
    np.savez(folder / f"{name}.later.npz", **{key: value.numpy() for key, value in later(model, optimizer, x, y).items()})
    return seen


def main():
    folder = pathlib.Path(sys.argv[1])
    print(json.dumps({"torch": torch.__version__, "seen": {name: exchange(folder, name) for name in NETWORKS}}))


main()
