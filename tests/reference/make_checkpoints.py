#!/usr/bin/python3
"""Writes the tiny random checkpoints of checkpoints/, each a Hugging Face folder.

    clip-llama        F32, one file, old names (language_model.model.*, vision_tower.vision_model.*), GQA 4:2, own head,
                      with the position_ids and inv_freq entries that old files carry and readers must ignore
    siglip-qwen2      BF16, two shards, new names (model.language_model.*), q/k/v bias, GQA 4:2, tied head, theta 1e6,
                      the config spelling of transformers 5 (rope_parameters, image_token_id, dtype)
    clip-llama-f16    F16, one file, sparse configs: whatever equals its class default is left out; 4 key/value heads by
                      omission, head_dim unlike hidden_size / heads

The weights are drawn so that attention is far from uniform and logits differ by about 1. The same seeds give the same
bytes.
"""
import json
import pathlib
import struct

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = HERE / "checkpoints"


# ---- weights ------------------------------------------------------------------------------------------------------


class Weights:
    """Draws tensors under canonical names, in the order of the calls."""

    def __init__(self, seed):
        self.random = np.random.RandomState(seed)
        self.tensors = {}

    def normal(self, name, shape, deviation, mean=0.0):
        self.tensors[name] = (mean + deviation * self.random.randn(*shape)).astype(np.float32)

    def linear(self, name, inputs, outputs, gain=1.0, bias=True):
        self.normal(name + ".weight", (outputs, inputs), gain / inputs ** 0.5)
        if bias:
            self.normal(name + ".bias", (outputs,), 0.1)

    def norm(self, name, width, bias=True):
        self.normal(name + ".weight", (width,), 0.1, mean=1.0)
        if bias:
            self.normal(name + ".bias", (width,), 0.1)


def draw(seed, vision, text, biased):
    """vision and text are full dictionaries; names are canonical (see checkpoint.py)."""
    w, clip = Weights(seed), vision["model_type"] == "clip_vision_model"
    width, inner = vision["hidden_size"], vision["intermediate_size"]
    patches = (vision["image_size"] // vision["patch_size"]) ** 2

    w.normal("vision_tower.embeddings.patch_embedding.weight", (width, 3, vision["patch_size"], vision["patch_size"]),
             1.0 / (3 * vision["patch_size"] ** 2) ** 0.5)
    if clip:
        w.normal("vision_tower.embeddings.class_embedding", (width,), 1.0)
        w.norm("vision_tower.pre_layrnorm", width)
    else:
        w.normal("vision_tower.embeddings.patch_embedding.bias", (width,), 0.1)
    w.normal("vision_tower.embeddings.position_embedding.weight", (patches + clip, width), 0.6)
    for i in range(vision["num_hidden_layers"]):
        layer = f"vision_tower.encoder.layers.{i}."
        w.norm(layer + "layer_norm1", width)
        for p, gain in (("q", 1.4), ("k", 1.4), ("v", 1.0), ("out", 1.0)):
            w.linear(f"{layer}self_attn.{p}_proj", width, width, gain)
        w.norm(layer + "layer_norm2", width)
        w.linear(layer + "mlp.fc1", width, inner)
        w.linear(layer + "mlp.fc2", inner, width)
    w.norm("vision_tower.post_layernorm", width)

    hidden, heads, kv_heads, head_dim = (text[k] for k in ("hidden_size", "num_attention_heads", "num_key_value_heads", "head_dim"))
    w.linear("multi_modal_projector.linear_1", width, hidden)
    w.linear("multi_modal_projector.linear_2", hidden, hidden)

    w.normal("language_model.embed_tokens.weight", (text["vocab_size"], hidden), 0.7 if not text["tied"] else 1.6 / hidden ** 0.5)
    for i in range(text["num_hidden_layers"]):
        layer = f"language_model.layers.{i}."
        w.norm(layer + "input_layernorm", hidden, bias=False)
        w.linear(layer + "self_attn.q_proj", hidden, heads * head_dim, 1.4, biased)
        w.linear(layer + "self_attn.k_proj", hidden, kv_heads * head_dim, 1.4, biased)
        w.linear(layer + "self_attn.v_proj", hidden, kv_heads * head_dim, 1.0, biased)
        w.linear(layer + "self_attn.o_proj", heads * head_dim, hidden, 1.0, False)
        w.norm(layer + "post_attention_layernorm", hidden, bias=False)
        w.linear(layer + "mlp.gate_proj", hidden, text["intermediate_size"], bias=False)
        w.linear(layer + "mlp.up_proj", hidden, text["intermediate_size"], bias=False)
        w.linear(layer + "mlp.down_proj", text["intermediate_size"], hidden, bias=False)
    w.norm("language_model.norm", hidden, bias=False)
    if not text["tied"]:
        w.linear("lm_head", hidden, text["vocab_size"], bias=False)
    return w.tensors


def old_name(name):
    for new, old in (("language_model.", "language_model.model."), ("lm_head.", "language_model.lm_head."),
                     ("vision_tower.", "vision_tower.vision_model.")):
        if name.startswith(new):
            return old + name[len(new):]
    return name


def new_name(name):
    return name if name.startswith("lm_head.") else "model." + name


def encode(array, dtype):
    """Little-endian bytes of one tensor in a safetensors dtype; rounding to nearest, ties to even."""
    if dtype == "I64":
        return array.astype("<i8").tobytes()
    if dtype == "F32":
        return array.astype("<f4").tobytes()
    if dtype == "F16":
        return array.astype("<f2").tobytes()
    bits = np.ascontiguousarray(array, "<f4").view("<u4")
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()


def write_safetensors(path, tensors):
    """tensors: name -> (array, dtype). Header padded with spaces to a multiple of 8, as the library does."""
    header, body = {"__metadata__": {"format": "pt"}}, bytearray()
    for name in sorted(tensors, key=lambda n: ({"I64": 0, "F32": 1}.get(tensors[n][1], 2), n)):
        array, dtype = tensors[name]
        data = encode(array, dtype)
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(body))
    return len(body)


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


# ---- tokenizers ---------------------------------------------------------------------------------------------------

WORDS = ["▁the", "▁what", "▁color", "▁is", "▁in", "▁red", "▁circle", "▁square", "▁how", "▁many",
         "▁blue", "▁green", "▁there", "user", "assistant"]


def merges_for(words, alphabet):
    """Left-to-right merges that build each word from its letters; shared beginnings are merged once."""
    merges = []
    for word in words:
        left = word[0]
        for letter in word[1:]:
            if (left, letter) not in merges:
                merges.append((left, letter))
            left += letter
    assert all(c in alphabet for pair in merges for piece in pair for c in piece)
    return merges


def added(token_id, content):
    return {"id": token_id, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True}


def sentencepiece_tokenizer(metaspace, size):
    """LLaMA-2's form: BPE over characters with byte fallback. Ids 0..2 special, then 256 bytes, letters, merges."""
    letters = ["▁"] + [chr(c) for c in range(ord("a"), ord("z") + 1)] + list("ANRSTUEI:?.,")
    # The shortest prefixes of the words; as many as fit below `size`.
    vocab = {"<unk>": 0, "<s>": 1, "</s>": 2}
    for byte in range(256):
        vocab[f"<0x{byte:02X}>"] = len(vocab)
    merges = [pair for pair in merges_for(WORDS, letters)][:size - len(vocab) - len(letters)]
    for left, right in merges:
        vocab.setdefault(left + right, len(vocab))
    for letter in letters:
        vocab[letter] = len(vocab)
    assert len(vocab) == size, len(vocab)
    specials = [added(0, "<unk>"), added(1, "<s>"), added(2, "</s>"), added(size, "<image>"), added(size + 1, "<pad>")]
    template = {"type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                         {"SpecialToken": {"id": "<s>", "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}
    prepend = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                                                   {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": specials,
        "normalizer": None if metaspace else prepend,
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False} if metaspace else None,
        "post_processor": template,
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
                  "vocab": vocab, "merges": [f"{left} {right}" for left, right in merges]},
    }


def byte_symbols():
    """GPT-2's table: the character that stands for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table, extra = {}, 0
    for byte in range(256):
        if byte in plain:
            table[byte] = chr(byte)
        else:
            table[byte] = chr(256 + extra)
            extra += 1
    return table


QWEN2_SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
               r"|\s+(?!\S)|\s+")
BYTE_LEVEL_SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>"]


def byte_level_tokenizer(size):
    """Qwen2's form: byte-level BPE, NFC, split by its pattern; merges as pairs, the spelling of newer files."""
    table = byte_symbols()
    vocab = {symbol: i for i, symbol in enumerate(sorted(table.values()))}
    merges = merges_for([word.replace("▁", table[32]) for word in WORDS], set(vocab))[:size - 256]
    for left, right in merges:
        vocab.setdefault(left + right, len(vocab))
    assert len(vocab) == size, len(vocab)
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [added(size + i, content) for i, content in enumerate(BYTE_LEVEL_SPECIALS)],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": QWEN2_SPLIT}, "behavior": "Isolated", "invert": False}, byte_level]},
        "post_processor": byte_level, "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": vocab, "merges": [list(pair) for pair in merges]},
    }


# ---- folders ------------------------------------------------------------------------------------------------------

CLIP_MEAN, CLIP_STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
HALF = [0.5, 0.5, 0.5]


def clip_preprocessor(size):
    return {"crop_size": {"height": size, "width": size}, "do_center_crop": True, "do_convert_rgb": True,
            "do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": CLIP_MEAN,
            "image_processor_type": "CLIPImageProcessor", "image_std": CLIP_STD, "processor_class": "LlavaProcessor",
            "resample": 3, "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": size}}


def siglip_preprocessor(size):
    return {"do_convert_rgb": True, "do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": HALF,
            "image_processor_type": "SiglipImageProcessor", "image_std": HALF, "processor_class": "LlavaProcessor",
            "resample": 3, "rescale_factor": 0.00392156862745098, "size": {"height": size, "width": size}}


def begin(name):
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    return folder


def clip_llama():
    folder, words = begin("clip-llama"), 320
    vision = dict(model_type="clip_vision_model", hidden_size=32, intermediate_size=64, num_hidden_layers=3,
                  num_attention_heads=4, image_size=48, patch_size=8)
    text = dict(model_type="llama", vocab_size=328, hidden_size=32, intermediate_size=64, num_hidden_layers=6,
                num_attention_heads=4, num_key_value_heads=2, head_dim=8)
    tensors = draw(SEEDS["clip-llama"], vision, {**text, "tied": False}, biased=False)
    stored = {old_name(name): (array, "F32") for name, array in tensors.items()}
    stored["vision_tower.vision_model.embeddings.position_ids"] = (np.arange(37)[None], "I64")
    for i in range(6):
        inverse = (1.0 / 10000.0 ** (np.arange(0, 8, 2) / 8)).astype(np.float32)
        stored[f"language_model.model.layers.{i}.self_attn.rotary_emb.inv_freq"] = (inverse, "F32")
    write_safetensors(folder / "model.safetensors", stored)
    write_json(folder / "config.json", {
        "architectures": ["LlavaForConditionalGeneration"], "ignore_index": -100, "image_token_index": words,
        "model_type": "llava", "pad_token_id": words + 1, "projector_hidden_act": "gelu",
        "text_config": {"architectures": ["LlamaForCausalLM"], "max_position_embeddings": 512, "rms_norm_eps": 1e-05,
                        "rope_theta": 10000.0, "torch_dtype": "float32", "hidden_act": "silu", **text},
        "tie_word_embeddings": False, "torch_dtype": "float32", "transformers_version": "4.36.0.dev0",
        "vision_config": {"hidden_act": "quick_gelu", "layer_norm_eps": 1e-05, "projection_dim": 32, "vocab_size": 32000, **vision},
        "vision_feature_layer": -2, "vision_feature_select_strategy": "default"})
    write_json(folder / "preprocessor_config.json", clip_preprocessor(48))
    write_json(folder / "generation_config.json", {"_from_model_config": True, "bos_token_id": 1, "eos_token_id": 2,
                                                   "pad_token_id": words + 1, "transformers_version": "4.36.0.dev0"})
    write_json(folder / "tokenizer.json", sentencepiece_tokenizer(metaspace=False, size=words))
    write_victor(folder / "victor-4.safetensors", text, registers=4)
    write_dyvte(folder / "dyvte.safetensors", text, inner=24)
    write_prune_and_merge(folder / "prune-and-merge-18.safetensors", 18, 18, 36, {0: "F16", 1: "F32"})
    write_prune_and_merge(folder / "prune-and-merge-12.safetensors", 21, 12, 36, {1: "BF16+"})


def write_victor(path, text, registers):
    """Registers, and the attention of layers 0 and 1 and the MLP of layer 4 anew; half the tensors in 16 bits."""
    w, hidden = Weights(SEEDS["victor"]), text["hidden_size"]
    heads, kv_heads, head_dim = (text[k] for k in ("num_attention_heads", "num_key_value_heads", "head_dim"))
    w.normal("victor.registers", (registers, hidden), 0.7)
    for i in (0, 1):
        layer = f"language_model.layers.{i}.self_attn."
        w.linear(layer + "q_proj", hidden, heads * head_dim, 1.4, bias=False)
        w.linear(layer + "k_proj", hidden, kv_heads * head_dim, 1.4, bias=False)
        w.linear(layer + "v_proj", hidden, kv_heads * head_dim, bias=False)
        w.linear(layer + "o_proj", heads * head_dim, hidden, bias=False)
    w.linear("language_model.layers.4.mlp.down_proj", text["intermediate_size"], hidden, bias=False)
    write_safetensors(path, {old_name(name): (array, "F16" if "o_proj" in name or "k_proj" in name else "F32")
                             for name, array in w.tensors.items()})


def write_dyvte(path, text, inner):
    """A gate behind every layer, in the two 16-bit and the 32-bit types in turn."""
    w, hidden = Weights(SEEDS["dyvte"]), text["hidden_size"]
    for i in range(text["num_hidden_layers"]):
        w.linear(f"model.visual_gates_router.{i}.w1", 2 * hidden, inner, bias=False)
        w.linear(f"model.visual_gates_router.{i}.w2", inner, 2, bias=False)
    write_safetensors(path, {name: (array, ("F32", "F16", "BF16")[n % 3]) for n, (name, array) in enumerate(w.tensors.items())})


def write_prune_and_merge(path, seed, rows, patches, layers):
    """For each layer rows that are single patches, means of neighbours and of overlapping ones; some patches are in none. `layers`: layer -> type, with "+" also a matrix that recovers."""
    random, tensors = np.random.default_rng(seed), {}
    for layer, kind in layers.items():
        matrix = np.zeros((rows, patches), np.float32)
        order = random.permutation(patches)
        inside = np.sort(order[:patches - patches // 6])  # one in six bypasses the layer
        for row, members in enumerate(np.array_split(inside, rows)):
            matrix[row, members] = random.random(len(members)).astype(np.float32) + 0.5
        if layer > 0:  # rows that share patches: the inverse is no transposed pattern any more
            for row in range(0, rows - 1, 3):
                matrix[row, np.flatnonzero(matrix[row + 1])[0]] += 0.4
        tensors[f"prune_and_merge.layers.{layer}.merge"] = (matrix / matrix.sum(1, keepdims=True), kind.rstrip("+"))
        if kind.endswith("+"):
            tensors[f"prune_and_merge.layers.{layer}.recover"] = ((np.linalg.pinv(matrix) + 0.1 * random.standard_normal((patches, rows))).astype(np.float32), "F32")
    write_safetensors(path, tensors)


def siglip_qwen2():
    folder, words = begin("siglip-qwen2"), 304
    vision = dict(model_type="siglip_vision_model", hidden_size=48, intermediate_size=80, num_hidden_layers=3,
                  num_attention_heads=2, image_size=40, patch_size=8)
    text = dict(model_type="qwen2", vocab_size=312, hidden_size=64, intermediate_size=112, num_hidden_layers=6,
                num_attention_heads=4, num_key_value_heads=2)
    tensors = draw(SEEDS["siglip-qwen2"], vision, {**text, "head_dim": 16, "tied": True}, biased=True)
    # Two shards, split in the middle of the decoder as size-capped shards do.
    names = sorted(new_name(name) for name in tensors)
    first = {n for n in names if "vision_tower" not in n and not any(f"layers.{i}." in n for i in (3, 4, 5))}
    weight_map, total = {}, 0
    for shard, members in enumerate((first, set(names) - first), 1):
        file = f"model-{shard:05d}-of-00002.safetensors"
        total += write_safetensors(folder / file, {n: (tensors[n[len("model."):]], "BF16") for n in members})
        weight_map.update({n: file for n in members})
    write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))})
    write_json(folder / "config.json", {
        "architectures": ["LlavaForConditionalGeneration"], "dtype": "bfloat16", "image_token_id": words + 3,
        "model_type": "llava", "multimodal_projector_bias": True, "projector_hidden_act": "gelu",
        "text_config": {**text, "dtype": "bfloat16", "hidden_act": "silu", "max_position_embeddings": 512,
                        "rms_norm_eps": 1e-06, "rope_parameters": {"rope_theta": 1000000.0, "rope_type": "default"},
                        "use_sliding_window": False, "tie_word_embeddings": True},
        "tie_word_embeddings": True, "transformers_version": "5.0.0",
        "vision_config": {**vision, "hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-06, "num_channels": 3, "vision_use_head": False},
        "vision_feature_layer": -1, "vision_feature_select_strategy": "full"})
    write_json(folder / "preprocessor_config.json", siglip_preprocessor(40))
    write_json(folder / "generation_config.json", {"bos_token_id": words, "do_sample": True, "eos_token_id": [words + 2, words],
                                                   "pad_token_id": words, "temperature": 0.7, "top_k": 20, "top_p": 0.8,
                                                   "repetition_penalty": 1.1, "transformers_version": "5.0.0"})
    write_json(folder / "tokenizer.json", byte_level_tokenizer(words))
    write_prune_and_merge(folder / "prune-and-merge-10.safetensors", 10, 10, 25, {0: "F32", 2: "F32"})


def clip_llama_f16():
    folder, words = begin("clip-llama-f16"), 320
    vision = dict(model_type="clip_vision_model", hidden_size=32, intermediate_size=48, num_hidden_layers=3,
                  num_attention_heads=2, image_size=28, patch_size=7)
    text = dict(model_type="llama", vocab_size=328, hidden_size=48, intermediate_size=80, num_hidden_layers=6,
                num_attention_heads=4, num_key_value_heads=4, head_dim=16)
    tensors = draw(SEEDS["clip-llama-f16"], vision, {**text, "tied": False}, biased=False)
    write_safetensors(folder / "model.safetensors", {old_name(name): (array, "F16") for name, array in tensors.items()})
    sparse_text = {k: v for k, v in text.items() if k != "num_key_value_heads"}
    write_json(folder / "config.json", {
        "architectures": ["LlavaForConditionalGeneration"], "image_token_index": words, "model_type": "llava",
        "text_config": {**sparse_text, "torch_dtype": "float16"}, "torch_dtype": "float16",
        "vision_config": vision})
    write_json(folder / "preprocessor_config.json", clip_preprocessor(28))
    write_json(folder / "generation_config.json", {"bos_token_id": 1, "eos_token_id": 2})
    write_json(folder / "tokenizer.json", sentencepiece_tokenizer(metaspace=True, size=words))


# Chosen by make_goldens.py --search: scores and logits stand well apart in every case.
SEEDS = {"clip-llama": 23, "siglip-qwen2": 12, "clip-llama-f16": 14, "victor": 14, "dyvte": 6}
MAKERS = {"clip-llama": clip_llama, "siglip-qwen2": siglip_qwen2, "clip-llama-f16": clip_llama_f16}

if __name__ == "__main__":
    for make in MAKERS.values():
        make()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            print(f"{path.stat().st_size:8d}  {path.relative_to(FOLDER)}")
