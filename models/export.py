"""
Makes the shipped embedder: the published all-MiniLM-L6-v2 as one int8 ONNX file, pooling and normalisation inside.

The network is written out from its weights (Wang et al. 2020, MiniLM; mean pooling and unit length as
sentence-transformers publishes it), with the runtime's fused attention and normalisation operators, and its weights
are quantised to int8 by output channel. Needs `onnx`, `safetensors` and `onnxruntime`; scripts/export_model brings
them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PUBLISHED = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of the published safetensors."""
LAYERS, HEADS, WIDTH = 6, 12, 384
MODEL = "all-MiniLM-L6-v2"
OPSET = 17

Weights = dict[str, NDArray[np.float32]]


class _Graph:
    """
    A graph under construction. `onnx` ships no usable types, hence Any.
    """

    def __init__(self, helper: Any, numpy_helper: Any) -> None:
        self.helper, self.numpy_helper = helper, numpy_helper
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []

    def weight(self, name: str, value: NDArray[Any]) -> str:
        """
        A constant.
        """
        self.tensors.append(self.numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(self, kind: str, inputs: Sequence[str], name: str, domain: str = "", **attributes: object) -> str:
        """
        An operator with one output of its own name.
        """
        self.nodes.append(
            self.helper.make_node(kind, list(inputs), [name], name=f"n_{name}", domain=domain, **attributes)
        )
        return name


def build(weights: Weights, target: Path) -> None:
    """
    Write the fp32 network.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    graph = _Graph(helper, numpy_helper)
    hidden = _embeddings(graph, weights)
    mask = graph.op("Cast", ["attention_mask"], "mask32", to=TensorProto.INT32)
    for layer in range(LAYERS):
        hidden = _layer(graph, weights, layer, hidden, mask)
    _pooled(graph, hidden)
    ids = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    out = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", WIDTH])
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    body = helper.make_graph(graph.nodes, MODEL, ids, [out], graph.tensors)
    model = helper.make_model(body, opset_imports=opsets, ir_version=9, producer_name="precedent")
    onnx.save(model, str(target))


def _embeddings(graph: _Graph, weights: Weights) -> str:
    words = graph.weight("words", weights["embeddings.word_embeddings.weight"])
    # one segment only: its vector is added to every position
    places = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    graph.weight("places", places)
    graph.op("Gather", [words, "input_ids"], "word")
    graph.op("Shape", ["input_ids"], "shape")
    graph.op("Slice", ["shape", graph.weight("i1", np.array([1])), graph.weight("i2", np.array([2]))], "length")
    graph.op("Slice", ["places", graph.weight("i0", np.array([0])), "length"], "place")
    graph.op("Add", ["word", "place"], "summed")
    return _norm(graph, weights, "embeddings.LayerNorm", "summed", "embedded")


def _norm(graph: _Graph, weights: Weights, key: str, value: str, name: str) -> str:
    scale = graph.weight(f"{name}_gain", weights[f"{key}.weight"])
    bias = graph.weight(f"{name}_shift", weights[f"{key}.bias"])
    return graph.op("LayerNormalization", [value, scale, bias], name, epsilon=1e-12, axis=-1)


def _layer(graph: _Graph, weights: Weights, layer: int, hidden: str, mask: str) -> str:
    key, name = f"encoder.layer.{layer}", f"l{layer}"
    parts = [f"{key}.attention.self.{part}" for part in ("query", "key", "value")]
    matrix = graph.weight(f"{name}_qkv", np.concatenate([weights[f"{part}.weight"].T for part in parts], axis=1))
    bias = graph.weight(f"{name}_qkv_bias", np.concatenate([weights[f"{part}.bias"] for part in parts]))
    inputs = [hidden, matrix, bias, mask]
    attended = graph.op("Attention", inputs, f"{name}_attended", "com.microsoft", num_heads=HEADS)
    mixed = _dense(graph, weights, f"{key}.attention.output.dense", attended, f"{name}_mixed")
    graph.op("Add", [mixed, hidden], f"{name}_skip")
    hidden = _norm(graph, weights, f"{key}.attention.output.LayerNorm", f"{name}_skip", f"{name}_normed")
    wide = graph.weight(f"{name}_wide_w", weights[f"{key}.intermediate.dense.weight"].T)
    graph.op("MatMul", [hidden, wide], f"{name}_wide")
    wide_bias = graph.weight(f"{name}_wide_b", weights[f"{key}.intermediate.dense.bias"])
    active = graph.op("BiasGelu", [f"{name}_wide", wide_bias], f"{name}_active", "com.microsoft")
    narrow = _dense(graph, weights, f"{key}.output.dense", active, f"{name}_narrow")
    graph.op("Add", [narrow, hidden], f"{name}_skip2")
    return _norm(graph, weights, f"{key}.output.LayerNorm", f"{name}_skip2", f"{name}_out")


def _dense(graph: _Graph, weights: Weights, key: str, value: str, name: str) -> str:
    matrix = graph.weight(f"{name}_w", weights[f"{key}.weight"].T)
    graph.op("MatMul", [value, matrix], f"{name}_product")
    return graph.op("Add", [f"{name}_product", graph.weight(f"{name}_b", weights[f"{key}.bias"])], name)


def _pooled(graph: _Graph, hidden: str) -> None:
    graph.op("Cast", ["attention_mask"], "maskf", to=1)
    graph.op("Unsqueeze", ["maskf", graph.weight("axis2", np.array([2]))], "mask3")
    graph.op("Mul", [hidden, "mask3"], "masked")
    graph.op("ReduceSum", ["masked", graph.weight("axis1", np.array([1]))], "total", keepdims=0)
    graph.op("ReduceSum", ["maskf", "axis1"], "count", keepdims=1)
    graph.op("Div", ["total", "count"], "mean")
    graph.op("LpNormalization", ["mean"], "embedding", axis=1, p=2)


def quantise(source: Path, target: Path) -> None:
    """
    Weights to int8, by output channel; activations are quantised as they come.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        str(source),
        str(target),
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Attention", "Gather"],
        # half a bit less range: without VNNI the 16-bit sums of u8 x s8 would saturate
        extra_options={"MatMulConstBOnly": True, "DefaultTensorType": 1},
    )


def compare(fp32: Path, int8: Path, tokenizer: Path, texts: Sequence[str]) -> tuple[float, float]:
    """
    (mean, least) cosine of the two networks' vectors over texts.
    """
    import onnxruntime
    from tokenizers import Tokenizer

    reader = Tokenizer.from_file(str(tokenizer))
    reader.no_padding()
    reader.enable_truncation(256)
    sessions = [onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]) for path in (fp32, int8)]
    cosines = []
    for text in texts:
        ids = np.array([reader.encode(text).ids], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        left, right = (session.run(None, feed)[0][0] for session in sessions)
        cosines.append(float(left @ right))
    return float(np.mean(cosines)), min(cosines)


def sha256(path: Path) -> str:
    """
    The digest of a file.
    """
    return hashlib.sha256(path.read_bytes()).hexdigest()


def texts_from(folder: Path | None) -> list[str]:
    """
    Real texts to compare on: paragraphs of the Markdown below a folder, else of our own documents.
    """
    root = folder or Path(__file__).resolve().parents[1]
    found: list[str] = []
    for path in sorted(root.rglob("*.md")):
        if not any(part.startswith(".") for part in path.relative_to(root).parts):
            paragraphs = path.read_text(encoding="utf-8", errors="replace").split("\n\n")
            found += [" ".join(text.split()) for text in paragraphs if len(text) > 40][:5]
    return found[:400]


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Exit 0 when the file is made, 1 when the weights are others than the published ones or the cosine is below 0.99.
    """
    parser = argparse.ArgumentParser(
        prog="scripts/export_model", description=__doc__.split("\n\n")[0] if __doc__ else ""
    )
    parser.add_argument("weights", type=Path, help="model.safetensors; tokenizer.json lies beside it")
    parser.add_argument("--texts", type=Path, help="folder of Markdown to compare on")
    parser.add_argument("--target", type=Path, default=Path(__file__).parent / "weights")
    options = parser.parse_args(arguments)
    found = sha256(options.weights)
    if found != PUBLISHED:
        print(f"{options.weights} has SHA-256 {found}; the published {MODEL} has {PUBLISHED}", file=sys.stderr)
        return 1
    from safetensors.numpy import load_file

    name = f"{MODEL}.int8.onnx"
    with tempfile.TemporaryDirectory() as place:
        fp32, int8 = Path(place) / "fp32.onnx", Path(place) / name
        build(load_file(str(options.weights)), fp32)
        quantise(fp32, int8)
        texts = texts_from(options.texts)
        mean, least = compare(fp32, int8, options.weights.parent / "tokenizer.json", texts)
        size = int8.stat().st_size / 2**20
        print(f"{size:.1f} MiB; cosine to fp32 over {len(texts)} texts: mean {mean:.4f}, least {least:.4f}")
        if mean < 0.99:
            return 1
        shutil.copy(int8, options.target / name)
    shutil.copy(options.weights.parent / "tokenizer.json", options.target / "tokenizer.json")
    files = {file: sha256(options.target / file) for file in (name, "tokenizer.json")}
    manifest = {"model": MODEL, "dimension": WIDTH, "made_from": PUBLISHED, "cosine": round(mean, 4), "files": files}
    (options.target / "embedder.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
