#!/usr/bin/python3
"""Writes the decoder of a LLaVA folder with a Qwen2 text model as GGUF version 3, for llama.cpp.

    python3 write_gguf.py <folder> <file.gguf> F32|Q8_0|Q4_0

Numbers only, and a vocabulary of placeholders: the file is for timing and for comparing logits, not for chatting.
Needs python3-numpy. The formats are those of ggml: Q8_0 is blocks of 32 with a scale in half precision, Q4_0 the same
with four bits, the first sixteen values of a block in the low halves of its bytes.
"""
import json
import pathlib
import struct
import sys

import numpy as np

F32, Q4_0, Q8_0 = 0, 2, 8
UINT32, FLOAT32, STRING, ARRAY, INT32 = 4, 6, 8, 9, 5
ALIGNMENT = 32
BLOCK = 32


def tensors(folder):
    """name -> float32 array, read when asked for."""
    index = folder / "model.safetensors.index.json"
    files = sorted(set(json.loads(index.read_text())["weight_map"].values())) if index.exists() else ["model.safetensors"]
    found = {}
    for file in files:
        path = folder / file
        with open(path, "rb") as f:
            length = struct.unpack("<Q", f.read(8))[0]
            header = json.loads(f.read(length))
        for name, about in header.items():
            if name != "__metadata__":
                assert about["dtype"] == "F32", (name, about["dtype"])
                found[name] = (path, 8 + length + about["data_offsets"][0], about["shape"])
    return lambda name: np.memmap(found[name][0], np.float32, "r", found[name][1], tuple(found[name][2]))


def weight_of(folder):
    """The same, by the name without what a LLaVA folder, old or new, puts in front of it."""
    read = tensors(folder)

    def weight(name):
        for prefix in ("language_model.", "model.language_model.", ""):
            for tail in (name, name.removeprefix("model.")):
                try:
                    return read(prefix + tail)
                except KeyError:
                    pass
        raise SystemExit(f"{folder}: no tensor {name}")

    return weight


def q8_0(x):
    blocks = x.reshape(-1, BLOCK)
    scale = np.abs(blocks).max(1, keepdims=True) / 127
    quants = np.round(blocks / np.where(scale == 0, 1, scale)).astype(np.int8)
    return np.concatenate([scale.astype(np.float16).view(np.uint8), quants.view(np.uint8)], 1).tobytes()


def q4_0(x):
    blocks = x.reshape(-1, BLOCK)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(1)[:, None], 1)
    scale = largest / -8
    quants = np.clip(blocks / np.where(scale == 0, 1, scale) + 8.5, 0, 15).astype(np.uint8)
    packed = quants[:, :BLOCK // 2] | (quants[:, BLOCK // 2:] << 4)
    return np.concatenate([scale.astype(np.float16).view(np.uint8), packed], 1).tobytes()


FORMATS = {"F32": (F32, lambda x: x.astype(np.float32).tobytes(), 4, 1), "Q8_0": (Q8_0, q8_0, 34, BLOCK), "Q4_0": (Q4_0, q4_0, 18, BLOCK)}


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def key(name, kind, value):
    packed = {UINT32: lambda: struct.pack("<I", value), FLOAT32: lambda: struct.pack("<f", value), STRING: lambda: text(value)}[kind]()
    return text(name) + struct.pack("<I", kind) + packed


def array(name, kind, items):
    return text(name) + struct.pack("<IIQ", ARRAY, kind, len(items)) + b"".join(items)


def names(layers):
    """GGUF name, Hugging Face name, whether it is a matrix."""
    yield "token_embd.weight", "model.embed_tokens.weight", True
    yield "output_norm.weight", "model.norm.weight", False
    yield "output.weight", "lm_head.weight", True
    for i in range(layers):
        for ours, theirs in (("attn_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm")):
            yield f"blk.{i}.{ours}.weight", f"model.layers.{i}.{theirs}.weight", False
        for ours, theirs in (("attn_q", "q_proj"), ("attn_k", "k_proj"), ("attn_v", "v_proj")):
            yield f"blk.{i}.{ours}.weight", f"model.layers.{i}.self_attn.{theirs}.weight", True
            yield f"blk.{i}.{ours}.bias", f"model.layers.{i}.self_attn.{theirs}.bias", False
        yield f"blk.{i}.attn_output.weight", f"model.layers.{i}.self_attn.o_proj.weight", True
        for name in ("gate", "up", "down"):
            yield f"blk.{i}.ffn_{name}.weight", f"model.layers.{i}.mlp.{name}_proj.weight", True


def main(folder, target, kind):
    folder, target = pathlib.Path(folder), pathlib.Path(target)
    config = json.loads((folder / "config.json").read_text())["text_config"]
    assert config["model_type"] == "qwen2", config["model_type"]
    layers, vocabulary = config["num_hidden_layers"], config["vocab_size"]
    weight = weight_of(folder)
    metadata = [
        key("general.architecture", STRING, "qwen2"), key("general.name", STRING, target.stem), key("general.alignment", UINT32, ALIGNMENT),
        key("qwen2.block_count", UINT32, layers), key("qwen2.context_length", UINT32, 4096),
        key("qwen2.embedding_length", UINT32, config["hidden_size"]), key("qwen2.feed_forward_length", UINT32, config["intermediate_size"]),
        key("qwen2.attention.head_count", UINT32, config["num_attention_heads"]), key("qwen2.attention.head_count_kv", UINT32, config["num_key_value_heads"]),
        key("qwen2.attention.layer_norm_rms_epsilon", FLOAT32, config["rms_norm_eps"]), key("qwen2.rope.freq_base", FLOAT32, config["rope_theta"]),
        key("tokenizer.ggml.model", STRING, "gpt2"), key("tokenizer.ggml.pre", STRING, "qwen2"),
        array("tokenizer.ggml.tokens", STRING, [text(f"t{i}") for i in range(vocabulary)]),
        array("tokenizer.ggml.token_type", INT32, [struct.pack("<i", 1)] * vocabulary),
        array("tokenizer.ggml.merges", STRING, [text("t 0")]),
        key("tokenizer.ggml.eos_token_id", UINT32, vocabulary - 1), key("tokenizer.ggml.bos_token_id", UINT32, vocabulary - 1),
    ]
    entries, offset = [], 0
    for ours, theirs, is_matrix in names(layers):
        shape = weight(theirs).shape
        number, _, size, block = FORMATS[kind if is_matrix else "F32"]
        entries.append(text(ours) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *reversed(shape)) + struct.pack("<IQ", number, offset))
        offset += -(-int(np.prod(shape)) // block * size // ALIGNMENT) * ALIGNMENT

    with open(target, "wb") as f:
        f.write(struct.pack("<4sIQQ", b"GGUF", 3, len(entries), len(metadata)) + b"".join(metadata) + b"".join(entries))
        f.write(b"\0" * (-f.tell() % ALIGNMENT))
        for _, theirs, is_matrix in names(layers):
            f.write(FORMATS[kind if is_matrix else "F32"][1](weight(theirs)))
            f.write(b"\0" * (-f.tell() % ALIGNMENT))


if __name__ == "__main__":
    main(*sys.argv[1:])
