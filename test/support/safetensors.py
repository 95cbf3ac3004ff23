"""An independent reader and writer of safetensors files, of the standard library only, after the format's description.

  python3 safetensors.py read FILE     prints JSON: metadata, and for each tensor dtype, shape, the bytes as hexadecimal text
  python3 safetensors.py write FILE    writes what the same JSON on standard input says, tensors in its order
"""
import json
import struct
import sys

SIZES = {"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
         "I32": 4, "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8}


def unique(pairs):
    found = dict(pairs)
    assert len(found) == len(pairs), "duplicate keys"
    return found


def read(path):
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack("<Q", content[:8])
    assert length % 8 == 0, "the elements are not aligned"
    header = json.loads(content[8:8 + length].decode("utf-8"), object_pairs_hook=unique)
    data = content[8 + length:]
    metadata = header.pop("__metadata__", None)
    at = 0
    tensors = {}
    for name, info in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = info["data_offsets"]
        count = 1
        for size in info["shape"]:
            count *= size
        assert begin == at and end - begin == count * SIZES[info["dtype"]], name
        at = end
        tensors[name] = {"dtype": info["dtype"], "shape": info["shape"], "hex": data[begin:end].hex()}
    assert at == len(data), "bytes that no tensor has"
    return {"metadata": metadata, "tensors": tensors}


def write(path, content):
    header = {}
    data = b""
    if content["metadata"] is not None:
        header["__metadata__"] = content["metadata"]
    for name, tensor in content["tensors"].items():
        elements = bytes.fromhex(tensor["hex"])
        header[name] = {"dtype": tensor["dtype"], "shape": tensor["shape"],
                        "data_offsets": [len(data), len(data) + len(elements)]}
        data += elements
    text = json.dumps(header).encode("utf-8")
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


if __name__ == "__main__":
    command, path = sys.argv[1:]
    if command == "read":
        json.dump(read(path), sys.stdout)
    else:
        write(path, json.load(sys.stdin))
