"""Reads a Hugging Face LLaVA folder: sparse config.json, safetensors (one file or shards), old and new tensor names."""
import json
import pathlib
import struct
from types import SimpleNamespace

import numpy as np
import torch

VISION_DEFAULTS = {
    "clip_vision_model": dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
                              image_size=224, patch_size=32, hidden_act="quick_gelu", layer_norm_eps=1e-5),
    "siglip_vision_model": dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
                                image_size=224, patch_size=16, hidden_act="gelu_pytorch_tanh", layer_norm_eps=1e-6),
}
TEXT_DEFAULTS = {
    "llama": dict(vocab_size=32000, hidden_size=4096, intermediate_size=11008, num_hidden_layers=32,
                  num_attention_heads=32, num_key_value_heads=None, head_dim=None, hidden_act="silu",
                  rms_norm_eps=1e-6, rope_theta=10000.0, attention_bias=False),
    "qwen2": dict(vocab_size=151936, hidden_size=4096, intermediate_size=22016, num_hidden_layers=32,
                  num_attention_heads=32, num_key_value_heads=32, head_dim=None, hidden_act="silu",
                  rms_norm_eps=1e-6, rope_theta=10000.0, attention_bias=False),
}
# LlavaConfig without a vision_config means this tower; one that is present starts from its own class's defaults.
DEFAULT_TOWER = dict(model_type="clip_vision_model", hidden_size=1024, intermediate_size=4096, num_hidden_layers=24,
                     num_attention_heads=16, image_size=336, patch_size=14)


def read_config(folder):
    """config.json with every default filled in: an object with .vision, .text and the projector's settings."""
    raw = json.loads((pathlib.Path(folder) / "config.json").read_text())
    if raw["model_type"] != "llava":
        raise ValueError(f"not a LLaVA checkpoint: model_type {raw['model_type']}")

    vision = raw.get("vision_config") or DEFAULT_TOWER
    kind = vision.get("model_type", "clip_vision_model")
    vision = {**VISION_DEFAULTS[kind], **vision, "model_type": kind}

    text = raw.get("text_config") or {}
    kind = text.get("model_type", "llama")
    text = {**TEXT_DEFAULTS[kind], **text, "model_type": kind}
    text["num_key_value_heads"] = text["num_key_value_heads"] or text["num_attention_heads"]
    text["head_dim"] = text["head_dim"] or text["hidden_size"] // text["num_attention_heads"]
    text["rope_theta"] = (text.get("rope_parameters") or {}).get("rope_theta", text["rope_theta"])
    for scaling in (text.get("rope_scaling"), text.get("rope_parameters")):
        if scaling and scaling.get("rope_type", scaling.get("type", "default")) != "default":
            raise ValueError("scaled RoPE is not part of this reference")

    return SimpleNamespace(
        vision=SimpleNamespace(**vision),
        text=SimpleNamespace(**text),
        image_token_id=raw.get("image_token_id", raw.get("image_token_index", 32000)),
        feature_layer=raw.get("vision_feature_layer", -2),
        feature_strategy=raw.get("vision_feature_select_strategy", "default"),
        projector_act=raw.get("projector_hidden_act", "gelu"),
    )


def canonical_name(name):
    """One spelling for old and new checkpoints, e.g. language_model.layers.0..., vision_tower.encoder..., lm_head.weight."""
    parts = ("language_model.", "vision_tower.", "multi_modal_projector.")
    if name.startswith("model.") and name[len("model."):].startswith(parts):
        name = name[len("model."):]
    for old, new in (("language_model.model.", "language_model."), ("language_model.lm_head.", "lm_head."),
                     ("vision_tower.vision_model.", "vision_tower.")):
        if name.startswith(old):
            name = new + name[len(old):]
    return name


def read_safetensors(path):
    """name -> float32 tensor. Integer tensors (position_ids) are skipped: nothing here needs them."""
    data = pathlib.Path(path).read_bytes()
    (header_length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + header_length])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        raw = data[8 + header_length + begin:8 + header_length + end]
        if entry["dtype"] == "F32":
            values = np.frombuffer(raw, "<f4").copy()
        elif entry["dtype"] == "F16":
            values = np.frombuffer(raw, "<f2").astype(np.float32)
        elif entry["dtype"] == "BF16":
            values = (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
        elif entry["dtype"] in ("I64", "I32"):
            continue
        else:
            raise ValueError(f"{name}: dtype {entry['dtype']}")
        tensors[name] = torch.from_numpy(values).reshape(entry["shape"])
    return tensors


def read_weights(folder):
    """canonical name -> float32 tensor, with lm_head.weight present also where the head is tied."""
    folder = pathlib.Path(folder)
    index = folder / "model.safetensors.index.json"
    files = sorted(set(json.loads(index.read_text())["weight_map"].values())) if index.exists() else ["model.safetensors"]
    weights = {}
    for file in files:
        for name, tensor in read_safetensors(folder / file).items():
            name = canonical_name(name)
            if name in weights:
                raise ValueError(f"{name} appears twice")
            weights[name] = tensor
    if "lm_head.weight" not in weights:
        weights["lm_head.weight"] = weights["language_model.embed_tokens.weight"]
    return weights
