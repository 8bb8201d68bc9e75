"""CLIP's text tower, and what CDPruner (arXiv 2506.10967) and Recoverable Compression (arXiv 2409.01179) make of it.

Written from CLIP's and CDPruner's papers and code: tokens by byte pairs whose last character carries </w>, learned positions,
causal attention, quick GELU, the row of the end of the text through the final norm and the projection. Patches go through the
norm behind the vision tower and the visual projection. Relevance is minus the cosine of the two.

A text longer than the tower takes is cut into segments, each between the start and the end token; relevance is their mean.

Run it to write checkpoints/clip-text and goldens/clip. With --recoverable it writes goldens/clip/recoverable.json alone, for the
tower that is there.
"""
import json
import sys
import unicodedata

import numpy as np
import torch
import torch.nn.functional as F

import make_checkpoints
from checkpoint import read_safetensors
from llava import Llava, Policy
from make_checkpoints import Weights, byte_symbols, write_json, write_safetensors
from make_goldens import HERE, IMAGE_SEEDS, IMAGE_SIZES, PROMPTS, around_image, lcg_image, matrix, numbers, preprocess, write
from reductions import cd_pruner, normalised_relevance
from tokenization import GPT2_SPLIT, Tokenizer, with_classes

FOLDER = make_checkpoints.FOLDER / "clip-text"
SPLIT = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
START, END = "<|startoftext|>", "<|endoftext|>"
WORDS = ["the", "what", "color", "is", "in", "red", "circle", "square", "how", "many", "blue", "green", "there", "shape", "a", "of", "picture", "triangle", "???", "..."]
HIDDEN, INNER, LAYERS, HEADS, POSITIONS, PROJECTION, VISION = 24, 48, 2, 3, 24, 20, 32


def write_tokenizer():
    """Merges from both ends of the words, so that parts with and without the suffix meet."""
    symbols = byte_symbols()
    merges = []
    for n, word in enumerate(WORDS):
        letters = [symbols[b] for b in word.encode()]
        letters[-1] += "</w>"
        while len(letters) > 1:
            at = 0 if n % 2 == 0 else len(letters) - 2
            pair = (letters[at], letters[at + 1])
            if pair not in merges:
                merges.append(pair)
            letters[at:at + 2] = [letters[at] + letters[at + 1]]
    vocab = {}
    for token in [*symbols.values(), *(s + "</w>" for s in symbols.values()), *(a + b for a, b in merges), START, END]:
        vocab.setdefault(token, len(vocab))
    special = lambda token, normalized: {"id": vocab[token], "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": normalized, "special": True}
    write_json(FOLDER / "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [special(START, True), special(END, False)],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "}, {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Removed", "invert": True},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}]},
        "post_processor": {"type": "RobertaProcessing", "sep": [END, vocab[END]], "cls": [START, vocab[START]], "trim_offsets": False, "add_prefix_space": False},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": END, "continuing_subword_prefix": "", "end_of_word_suffix": "</w>", "fuse_unk": False,
                  "vocab": vocab, "merges": [" ".join(pair) for pair in merges]}})
    return vocab, merges


def write_checkpoint(size):
    w = Weights(31)
    w.normal("text_model.embeddings.token_embedding.weight", (size, HIDDEN), 0.7)
    w.normal("text_model.embeddings.position_embedding.weight", (POSITIONS, HIDDEN), 0.4)
    for i in range(LAYERS):
        layer = f"text_model.encoder.layers.{i}."
        w.norm(layer + "layer_norm1", HIDDEN)
        for p, gain in (("q", 1.6), ("k", 1.6), ("v", 1.0), ("out", 1.0)):
            w.linear(f"{layer}self_attn.{p}_proj", HIDDEN, HIDDEN, gain)
        w.norm(layer + "layer_norm2", HIDDEN)
        w.linear(layer + "mlp.fc1", HIDDEN, INNER)
        w.linear(layer + "mlp.fc2", INNER, HIDDEN)
    w.norm("text_model.final_layer_norm", HIDDEN)
    w.linear("text_projection", HIDDEN, PROJECTION, bias=False)
    w.norm("vision_model.post_layernorm", VISION)
    w.linear("visual_projection", VISION, PROJECTION, bias=False)
    stored = {name: (array, ("F32", "F16", "F32")[n % 3]) for n, (name, array) in enumerate(w.tensors.items())}
    stored["text_model.embeddings.position_ids"] = (np.arange(POSITIONS)[None], "I64")
    stored["logit_scale"] = (np.array(2.6, np.float32), "F32")
    write_safetensors(FOLDER / "model.safetensors", stored)
    write_json(FOLDER / "config.json", {
        "architectures": ["CLIPModel"], "model_type": "clip", "logit_scale_init_value": 2.6592, "projection_dim": PROJECTION,
        "text_config": {"model_type": "clip_text_model", "vocab_size": size, "hidden_size": HIDDEN, "intermediate_size": INNER, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
                        "max_position_embeddings": POSITIONS, "projection_dim": PROJECTION, "layer_norm_eps": 1e-05},
        "vision_config": {"model_type": "clip_vision_model", "hidden_size": VISION, "projection_dim": PROJECTION}})


class ClipTokenizer:
    """As OpenAI's own: every occurrence of the pair of lowest rank is merged, until none is left."""

    def __init__(self, vocab, merges):
        self.vocab, self.ranks = vocab, {pair: rank for rank, pair in enumerate(merges)}
        self.pattern, self.symbols = with_classes(SPLIT), byte_symbols()
        self.again = with_classes(GPT2_SPLIT)  # the file's byte level cuts once more; that parts only names of special tokens, which OpenAI's own never gets to see

    def encode(self, text):
        text = "".join(c.lower() for c in " ".join(unicodedata.normalize("NFC", text).split()))  # letter by letter, as the file says: no final sigma
        words = [word for piece in self.pattern.findall(text) for word in self.again.findall(piece)]
        return [self.vocab[part] for word in words for part in self.merge("".join(self.symbols[b] for b in word.encode()))]

    def merge(self, word):
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            pair = min(zip(parts, parts[1:]), key=lambda p: self.ranks.get(p, 1 << 30))
            if pair not in self.ranks:
                break
            merged, i = [], 0
            while i < len(parts):
                if i + 1 < len(parts) and (parts[i], parts[i + 1]) == pair:
                    merged.append(parts[i] + parts[i + 1])
                    i += 2
                else:
                    merged.append(parts[i])
                    i += 1
            parts = merged
        return parts


class ClipText:
    def __init__(self, vocab, merges):
        self.w = {k: v for k, v in read_safetensors(FOLDER / "model.safetensors").items()}
        self.tokenizer, self.start, self.end = ClipTokenizer(vocab, merges), vocab[START], vocab[END]

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.w[name + ".weight"], self.w[name + ".bias"], 1e-5)

    def linear(self, x, name):
        return F.linear(x, self.w[name + ".weight"], self.w.get(name + ".bias"))

    def embed(self, ids):
        x = self.w["text_model.embeddings.token_embedding.weight"][ids] + self.w["text_model.embeddings.position_embedding.weight"][:len(ids)]
        later = torch.ones(len(ids), len(ids)).triu(1).bool()
        for i in range(LAYERS):
            layer = f"text_model.encoder.layers.{i}."
            n = self.norm(x, layer + "layer_norm1")
            q, k, v = (self.linear(n, f"{layer}self_attn.{p}_proj").reshape(len(ids), HEADS, -1).transpose(0, 1) for p in "qkv")
            attention = torch.softmax((q @ k.transpose(1, 2) * q.shape[-1] ** -0.5).masked_fill(later, float("-inf")), -1)
            x = x + self.linear((attention @ v).transpose(0, 1).reshape(len(ids), -1), layer + "self_attn.out_proj")
            inner = self.linear(self.norm(x, layer + "layer_norm2"), layer + "mlp.fc1")
            x = x + self.linear(inner * torch.sigmoid(1.702 * inner), layer + "mlp.fc2")
        x = self.norm(x, "text_model.final_layer_norm")
        return self.linear(x[ids.index(self.end)], "text_projection")  # no other token has its id

    def segments(self, question):
        ids, longest = self.tokenizer.encode(question), POSITIONS - 2
        return [[self.start, *ids[i:i + longest], self.end] for i in range(0, max(1, len(ids)), longest)]

    def relevance(self, features, question):
        """[patches]: minus the cosine, mean over segments."""
        patches = F.normalize(self.linear(self.norm(features, "vision_model.post_layernorm"), "visual_projection"), dim=-1)
        texts = F.normalize(torch.stack([self.embed(segment) for segment in self.segments(question)]), dim=-1)
        return -(patches @ texts.T).mean(1)


TEXTS = [
    "", " ", "a", "what color is the circle?", "What Color IS the circle ???", "  the   square\tis\nblue ... ", "don't they're I'M we'll", "12 345 6", "a1b2", "caf\u00e9 cafe\u0301",
    "\u4e2d\u6587 text", "\U0001f600\U0001f468\u200d\U0001f469", "tab\tand\u00a0space", "<image>", "<|endoftext|>", "the<|startoftext|>the", "a </w> b", "how many ? ! ... #@%", "x = y*(z+1)\r\n  return",
    "\u0130stanbul \u00df \u03a3\u03a3", "the triangle of the picture is green, and the shape there red.", "''s 's's it's", "\u0915\u094d\u0937 \u0e01\u0e33", "\u00bd \u2167 \u00b2",
]
QUESTIONS = ["what color is the circle?", "how many squares are there in the picture?",
             "is there a red circle in the picture, or a blue square, or how many of the green triangles are there, and what is the shape of the red one?"]


def pick_gap(rows, relevance, picks):
    """The smallest relative distance of a pick to the next best one."""
    unit = F.normalize(rows.double(), dim=-1)
    kernel = relevance.double()[:, None] * (unit @ unit.T) * relevance.double()[None]
    smallest = 1.0
    for i in range(len(picks)):
        gain = kernel.diagonal().clone()
        if i:
            gain = gain - ((kernel[:, picks[:i]] @ torch.linalg.inv(kernel[picks[:i]][:, picks[:i]])) * kernel[:, picks[:i]]).sum(1)
            gain[picks[:i]] = -float("inf")
        best = gain.topk(2).values
        smallest = min(smallest, float((best[0] - best[1]) / best[0]))
    return smallest


def recoverable():
    """What Recoverable Compression makes of the questions: rows, and the logits of the last row of the prompt."""
    written = json.loads((FOLDER / "tokenizer.json").read_text())["model"]
    merges = [tuple(pair.split(" ")) if isinstance(pair, str) else tuple(pair) for pair in written["merges"]]
    clip = ClipText(written["vocab"], merges)
    name = "clip-llama"
    folder = make_checkpoints.FOLDER / name
    model = Llava(folder)
    pixels = preprocess(folder, lcg_image(IMAGE_SEEDS[name], IMAGE_SIZES[name]))
    prefix, suffix = around_image(model, Tokenizer(folder), PROMPTS[name])
    policy = Policy(recoverable=("LocalOutlier", 9, 5, 50.0))
    cases = []
    with torch.no_grad():
        without = model.image(pixels, policy, suffix).kept[-1]
        for question in QUESTIONS:
            model.relevance = lambda rows: clip.relevance(rows, question)
            visual = model.image(pixels, policy, suffix)
            assert min(visual.gaps) > 1e-4, (question, visual.gaps)
            assert visual.kept[-1] != without, question
            prefill, _, _ = model.generate(prefix, visual, suffix, policy, 1)
            cases.append(f'{{"question":{json.dumps(question)},"kept":{json.dumps(visual.kept[-1])},"logits":{numbers(prefill.logits)}}}')
    write(HERE / "goldens" / "clip" / "recoverable.json", [("cases", "[\n" + ",\n".join(cases) + "\n]")])


def main():
    if "--recoverable" in sys.argv:
        return recoverable()
    FOLDER.mkdir(parents=True, exist_ok=True)
    vocab, merges = write_tokenizer()
    write_checkpoint(len(vocab))
    clip = ClipText(vocab, merges)
    name = "clip-llama"
    folder = make_checkpoints.FOLDER / name
    model = Llava(folder)
    pixels = preprocess(folder, lcg_image(IMAGE_SEEDS[name], IMAGE_SIZES[name]))
    prefix, suffix = around_image(model, Tokenizer(folder), PROMPTS[name])
    with torch.no_grad():
        features, _ = model.encode_image(pixels)
        cases = []
        for question in QUESTIONS:
            relevance = clip.relevance(features, question)
            wide = ClipText(vocab, merges)
            wide.w = {k: v.double() for k, v in wide.w.items()}
            assert torch.allclose(relevance.double(), wide.relevance(features.double(), question), atol=1e-5)
            model.relevance = lambda rows: clip.relevance(rows, question)
            visual = model.image(pixels, Policy(cdpruner=11), suffix)
            picks = cd_pruner(model.encode_image(pixels)[1], normalised_relevance(relevance), 11)
            assert sorted(picks) == visual.kept[-1] and pick_gap(model.encode_image(pixels)[1], normalised_relevance(relevance), picks) > 1e-4, question
            prefill, tokens, _ = model.generate(prefix, visual, suffix, Policy(cdpruner=11), 1)
            cases.append(f'{{"question":{json.dumps(question)},"segments":{json.dumps(clip.segments(question))},"relevance":{numbers(relevance)},'
                         f'"kept":{json.dumps(visual.kept[-1])},"logits":{numbers(prefill.logits)}}}')
        kept = [json.loads(case)["kept"] for case in cases]
        assert len({tuple(k) for k in kept}) == len(kept) and max(len(clip.segments(q)) for q in QUESTIONS) > 1
        write(HERE / "goldens" / "clip" / "clip-llama.json", [
            ("tokenizer", "[\n" + ",\n".join(json.dumps({"text": t, "ids": clip.tokenizer.encode(t)}) for t in TEXTS) + "\n]"),
            ("features", matrix(features)),
            ("cases", "[\n" + ",\n".join(cases) + "\n]")])
    recoverable()


if __name__ == "__main__":
    main()
