#!/usr/bin/python3
"""Writes goldens/llava/<model>/: inputs.json and one file a case.

    python3 make_goldens.py                    the tiny checkpoints, and the sample model if its folder exists
    python3 make_goldens.py clip-llama         one of them (clip-llama, siglip-qwen2, clip-llama-f16, shapes)
    python3 make_goldens.py clip-llama --new   only the cases that have no file yet: another CPU would change digits of the others
    python3 make_goldens.py --search           instead of writing, report which seeds of the tiny checkpoints give
                                               scores and logits that are well apart

README.md describes the files. Every case is computed twice, with rows dropped and cached and with columns masked over
the whole sequence; the two must agree before anything is written.
"""
import hashlib
import json
import pathlib
import sys
from dataclasses import fields

import numpy as np
import torch
from PIL import Image

import make_checkpoints
from golden_images import clip, siglip
from llava import Llava, Policy, keep_count
from tokenization import Tokenizer

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OUT = HERE / "goldens" / "llava"
STEPS = 8

ALL = Policy(fastv=(2, 0.5), shortv=(3, 4), vtw=5)
CASES = {
    "clip-llama": {
        "dense": Policy(), "fastv": Policy(fastv=(2, 0.5)), "shortv": Policy(shortv=(3, 4)), "vtw": Policy(vtw=5),
        "all": ALL,
        "scored-frozen": Policy(fastv=(2, 0.75), shortv=(1, 2)),  # the scores come from a frozen layer
        "exit-at-prune": Policy(fastv=(3, 0.5), shortv=(0, 3), vtw=4),
        "fastv-mean": Policy(fastv=(2, 0.5), fastv_rows="mean"),
        "fastv-mean-frozen": Policy(fastv=(3, 0.75), fastv_rows="mean", shortv=(1, 2)),
        "victor": Policy(victor=(4, 2)),
        "victor-together": Policy(victor=(4, 4), fastv=(2, 0.5), fastv_rows="mean", shortv=(1, 2)),
        "dyvte": Policy(dyvte=True), "dyvte-late": Policy(dyvte=True, random=((0, 30, 1), (4, 20, 3)), shortv=(1,)),
        "dyvte-pruned": Policy(dyvte=True, fastv=(2, 0.5)),
        "victor-renumbered": Policy(victor=(4, 4), pyramid=(0.8, 2)),
        "random": Policy(random=((0, 20, 7), (3, 10, -3))),
        "norm": Policy(norm=((3, 12),)),
        "merge": Policy(merge=((3, 12),)),
        "merge-twice": Policy(merge=((0, 20), (3, 9)), shortv=(1, 2), fastv=(4, 0.5)),  # the second finds the rows parted
        "ficocol": Policy(ficoco_l=(5, 1, "paper", 0.6, 0.6, 0.9)),
        "ficocol-code": Policy(ficoco_l=(3, 2, "code", 0.5, 0.7, 0.95)),
        "ficocol-columns": Policy(ficoco_l=(4, 1, "paper", 0.7, 0.5, 0.9, "columns")),
        "ficocol-rows": Policy(ficoco_l=(3, 3, "code", 0.5, 0.6, 0.95, "rows")),
        "ficoco-vl": Policy(ficoco_v=dict(start=1, r=4, epsilon=0.9), ficoco_l=(4, 2, "paper", 0.6, 0.6, 0.9)),
        "ficocol-together": Policy(random=((0, 30, 0),), ficoco_l=(4, 3), shortv=(1, 2), vtw=5),
        "ficocol-pyramid": Policy(ficoco_l=(3, 1), pyramid=(0.5, 3)),  # rows are renumbered inside layers 1 and 3, and behind them
        "pyramid": Policy(pyramid=(0.5, 3)),
        "pyramid-together": Policy(random=((0, 30, 0),), pyramid=(0.6, 3), shortv=(1, 2), vtw=5),
        "sparsevlm": Policy(sparse_vlm=dict(layers=(1, 3), keep=(18, 7))),
        "sparsevlm-rank": Policy(sparse_vlm=dict(layers=(0, 3), scale=2.2, bias=3, tau=0.9)),
        "sparsevlm-lambda": Policy(sparse_vlm=dict(layers=(1, 4), lam=0.6)),
        "sparsevlm-dropped": Policy(sparse_vlm=dict(layers=(2,), keep=(12,), tau=0), shortv=(1, 2)),  # a frozen layer rates
        "sparsevlm-rank-dropped": Policy(fastv=(1, 0.25), sparse_vlm=dict(layers=(3,), lam=0.8, tau=0)),
        "sparsevlm-together": Policy(similarity=("cosine", "Chord", 9, 0.5, 1), sparse_vlm=dict(layers=(1, 3), keep=(9, 4), tau=0.9), shortv=(1, 2), vtw=5),
        "sparsevlm-plus": Policy(sparse_vlm=dict(layers=(1, 3), keep=(18, 7), heads=2)),
        "sparsevlm-plus-together": Policy(divprune=24, sparse_vlm=dict(layers=(2,), keep=(11,), heads=3), shortv=(2,), fastv=(1, 0.25)),
        "norm-twice": Policy(norm=((0, 20), (3, 9)), shortv=(1, 2)),  # the second finds the rows parted
        "visionzip": Policy(visionzip=(9, 4)), "vtccls": Policy(vtccls=(12, 0)), "divprune": Policy(divprune=10),
        "gprune": Policy(gprune=(14, 0.1, 0.1, 5)),
        "vision-and-decoder": Policy(visionzip=(16, 5), divprune=14, fastv=(2, 0.5), shortv=(3,), vtw=5),
        "similarity": Policy(similarity=("cosine", "Chord", 9, 0.05, 1), relevance=(2, 1, False)),
        "similarity-steps": Policy(similarity=("attention", "MaxDerivative", 9, 0.3, 0.75), fastv=(2, 0.5)),
        "similarity-bend": Policy(similarity=("cosine", "SecondDifference", 5, 0.4, 1), gprune=(0.6, 0.1, 0.1, 5), pyramid=(0.5, 3), shortv=(1,)),
        "similarity-text": Policy(similarity=("cosine", "LocalOutlier", 9, 0.4, 1), relevance=(3, 0.9, True), shortv=(1, 2), vtw=5),
        "ficoco-v": Policy(ficoco_v=dict(start=0, r=9, epsilon=0.9)),
        "ficoco-v-code": Policy(ficoco_v=dict(start=1, r=14, mode="code", epsilon=0.93, window=3, coefficient=1.5)),
        "ficoco-v-columns": Policy(ficoco_v=dict(start=0, r=6, redundancy="columns", lam=0.6, epsilon=0.95)),
        "tome": Policy(tome=dict(r=8)),
        "tome-inflection": Policy(tome=dict(r=9, inflection=0.5, proportional=False)),
        "pruneandmerge": Policy(pruneandmerge=((0, 1), 18)),
        "pruneandmerge-learned": Policy(pruneandmerge=((1,), 12), divprune=14, fastv=(2, 0.5)),
        "elip": Policy(elip=dict(places=(0, 1), ratios=(0.8, 0.5))),
        "elip-ahead": Policy(elip=dict(places=(0,), ratios=(0.6,)), fastv=(2, 0.5)),  # layer 0 runs ahead, the attention is of layer 1
        "elip-near": Policy(elip=dict(places=(0,), ratios=(0.45,), ahead=1), divprune=9),
        "tower-and-decoder": Policy(ficoco_v=dict(start=0, r=5), divprune=20, fastv=(2, 0.5), shortv=(3,), vtw=5),
        "prumerge": Policy(prumerge=(6, False)), "prumerge-plus": Policy(prumerge=(32, True), fastv=(2, 0.5)),
        "recoverable": Policy(recoverable=("LocalOutlier", 9, 5, 50.0)),
        "recoverable-steps": Policy(recoverable=("MaxDerivative", 9, 9, 2.0), fastv=(2, 0.5)),
        "fopru": Policy(fopru=("received", "rank", 14)), "fopru-rows": Policy(fopru=("cls", "row", 3)),
        "cdpruner": Policy(cdpruner=11),
        "similarity-cdpruner": Policy(similarity=("cosine", "Chord", 9, 0.5, 1), cdpruner=9, fastv=(3, 0.5)),
        "ffnskip": Policy(ffn_skip=(0.945, 2, 1, 1, 2)),
        "ffnskip-together": Policy(ffn_skip=(0.9, 1, 0, 0, 0), fastv=(2, 0.5), pyramid=(0.4, 2), shortv=(1,), vtw=5),
        "dart": Policy(dart=(2, 0.5, 2, 3)),
        "similarity-dart": Policy(similarity=("cosine", "SecondDifference", 5, 0.4, 1), dart=(3, 0.4, 1, 1), shortv=(1, 2), vtw=5),
        "aim": Policy(aim=(1, 0, 4)),
        "aim-together": Policy(fastv=(1, 0.2), aim=(0, 1, 4), shortv=(1, 4)),
        "similarity-aim": Policy(similarity=("cosine", "SecondDifference", 5, 0.4, 1), aim=(1, 1, 4)),
        "yopo": Policy(yopo=(5, 2, None, 0, True)),
        "yopo-neurons": Policy(yopo=(0, 3, 4, 1, True)),
        "yopo-around": Policy(yopo=(3, 1, None, 0, False)),
        "yopo-heads": Policy(heads=((1, (0, 1)), (2, (3,)), (3, (0, 1, 2, 3)))),
        "yopo-together": Policy(divprune=30, fastv=(2, 0.5), yopo=(5, 2, 5, 1, True), heads=((3, (1,)),), shortv=(2,)),
        "lens": Policy(lens=((1, 2, 4), 0.2, 0.1, 7)),
        "lens-together": Policy(lens=((1, 3), 0.5, 0.3, 9), fastv=(2, 0.5), fastv_rows="mean", vtw=5),
        "lens-gated": Policy(dyvte=True, lens=((1, 2, 3, 4), 0.2, 0.2, None)),
        "victor-partial": Policy(victor=(4, 4), yopo=(5, 2, None, 1, True)),
        "sepllm": Policy(sepllm=(3, 5), said=(105, 166, 318, 204, 17, 319, 203, 281)),
        "sepllm-together": Policy(sepllm=(2, 4), ffn_skip=(0.9, 1, 1, 0, 0), similarity=("cosine", "LocalOutlier", 9, 0.4, 1), relevance=(3, 0.9, True), shortv=(1, 2),
                                  said=(265, 116, 13, 158, 300, 301, 316, 17)),
        "kept-positions": Policy(vtccls=(24, 1), gprune=(15, 0.1, 0.1, 3), fastv=(2, 0.4)),
    },
    "siglip-qwen2": {
        "dense": Policy(), "fastv": Policy(fastv=(3, 0.4)), "shortv": Policy(shortv=(0, 4)), "vtw": Policy(vtw=3),
        "all": ALL, "fastv-half": Policy(fastv=(2, 0.5)),  # 25 tokens: 12.5 is kept as 12
        "fastv-mean": Policy(fastv=(3, 0.4), fastv_rows="mean"),
        "random": Policy(random=((4, 8, 0),)), "norm": Policy(norm=((2, 12),)),
        "sparsevlm": Policy(sparse_vlm=dict(layers=(0, 2), keep=(14, 6), tau=0.5)),
        "pyramid": Policy(pyramid=(0.7, 4)),  # 6 layers: the last stage has three of them
        "divprune": Policy(divprune=6),
        "visionzip": Policy(visionzip=(7, 3)),  # no CLS token: the attention that a patch receives
        "ficoco-v": Policy(ficoco_v=dict(start=1, r=4, epsilon=0.9)),  # no CLS token: the distance from the mean key
        "tome": Policy(tome=dict(r=4)), "tome-inflection": Policy(tome=dict(r=5, inflection=-0.4)),
        "fopru": Policy(fopru=("received", "row", 2)),
        "pruneandmerge": Policy(pruneandmerge=((0, 2), 10)),  # no CLS token, and the last layer among them
        "dart": Policy(dart=(1, 0.5, 3, 0)),
        "aim": Policy(aim=(1, 0, 4)), "aim-relative": Policy(aim=(2, 1, 3, "Relative")),  # 25 tokens: one is left over
        "ficocol": Policy(ficoco_l=(3, 0)),
        "ficocol-columns": Policy(ficoco_l=(2, 1, "code", 0.4, 0.6, 0.9, "columns")),
        "ffnskip": Policy(ffn_skip=(0.9, 3, 2, 0, 1), divprune=6),
        "yopo": Policy(yopo=(3, 2, 5, 0, True), heads=((2, (0,)),)),
        "lens": Policy(lens=((0, 1, 2, 3), 0.3, 0.15, 6)),
        "sepllm": Policy(sepllm=(1, 2), pyramid=(0.7, 4), said=(133, 100, 11, 103, 64, 198, 25, 103)),
    },
    "clip-llama-f16": {
        "dense": Policy(), "fastv": Policy(fastv=(1, 0.75)), "shortv": Policy(shortv=(2, 3, 5)), "vtw": Policy(vtw=1),
        "all": Policy(fastv=(2, 0.5), shortv=(3,), vtw=4),
    },
}
QUESTION = "what color is the circle?"
PROMPTS = {
    "clip-llama": f"USER: <image>\n{QUESTION} ASSISTANT:",
    "siglip-qwen2": f"<|im_start|>user\n<image>\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n",
    "clip-llama-f16": f"USER: <image>\n{QUESTION} ASSISTANT:",
}
TEXTS = [
    "", " ", "a", " a", "  a  b", "what color is the circle?", "the square is blue, there are many", "hello\nworld\n\n",
    "don't they're I'M", "12 345 6", "caf\u00e9 cafe\u0301", "\u4e2d\u6587 text", "\U0001f600\U0001f468\u200d\U0001f469", "tab\tand\u00a0space",
    "<image>", "a <image> b<image>", "<image>\n what", "the<image>the", "<imag>", "a\u2581b", "how many ? ! ... #@%", "x = y*(z+1)\r\n  return",
]

# The sample model, once it is there. Its goldens are made for the first picture and the first questions whose scores
# and logits stand well apart.
SHAPES = ROOT / "samples" / "models" / "shapes"
SHAPES_IMAGES = ROOT / "samples" / "images"
SHAPES_CASES = {
    "dense": Policy(), "fastv": Policy(fastv=(2, 0.5)), "shortv": Policy(shortv=(5, 6, 7)), "vtw": Policy(vtw=9),
    "all": Policy(fastv=(2, 0.5), shortv=(5, 6, 7), vtw=9),
    "yopo": Policy(yopo=(5, 2, 9, 2, True)), "lens": Policy(lens=((3, 4, 5, 6, 7), 0.2, 0.1, 40)),
    "sparsevlm": Policy(sparse_vlm=dict(layers=(1, 3, 6), keep=(72, 40, 20))),
    "sparsevlm-rank": Policy(sparse_vlm=dict(layers=(2, 5), lam=0.6)),
    "sparsevlm-plus": Policy(sparse_vlm=dict(layers=(1, 3, 6), keep=(72, 40, 20), heads=3)),
    "elip": Policy(elip=dict(places=(1, 3), ratios=(0.8, 0.5))),
    "recoverable": Policy(recoverable=("LocalOutlier", 9, 20, 50.0)),
    "aim": Policy(aim=(0, 3, 8)),
    "aim-merged": Policy(vtccls=(24, 2), aim=(1, 3, 8)),  # all 144 tokens have patches of the background among them that are the same
    "ficocol": Policy(ficoco_l=(14, 4)), "ficocol-columns": Policy(ficoco_l=(12, 3, "paper", 0.6, 0.6, 0.998, "columns")),
    "ficoco-v": Policy(ficoco_v=dict(start=2, r=36)), "tome": Policy(tome=dict(r=12)),
    "pyramid": Policy(pyramid=(0.5, 4)), "dart": Policy(dart=(2, 0.5, 4, 4)),
    "visionzip": Policy(visionzip=(54, 18)), "vtccls": Policy(vtccls=(72, 2)),
    "divprune": Policy(divprune=72), "gprune": Policy(gprune=(72, 0.5, 0.03, 5)), "cdpruner": Policy(cdpruner=24),  # more picks come too near to ties
    "prumerge": Policy(prumerge=(32, False)), "prumerge-plus": Policy(prumerge=(32, True)),
    "fopru": Policy(fopru=("received", "rank", 72)), "similarity": Policy(similarity=("cosine", "Chord", 9, 0.05, 1), relevance=(2, 1, False)),
    "fastv-mean": Policy(fastv=(2, 0.5), fastv_rows="mean"), "fopru-rows": Policy(fopru=("cls", "row", 6)),
    "ficoco-vl": Policy(ficoco_v=dict(start=3, r=18), ficoco_l=(7, 4)),
    "similarity-text": Policy(similarity=("attention", "Chord", 9, 0.05, 1), relevance=(3, 0.9, True)),
}
SHAPES_CHOSEN_BY = ("dense", "fastv", "shortv", "vtw", "all")  # a case that comes later must not choose another picture
SHAPES_QUESTIONS = [
    "what color is the circle ?", "how many squares are there ?", "what shape is red ?", "is there a blue triangle ?",
    "what color is the square ?", "how many circles are there ?", "what shape is green ?", "is there a red circle ?",
]


# ---- inputs -------------------------------------------------------------------------------------------------------


def lcg_image(seed, size):
    """uint8 [size, size, 3]. state = (1664525 * state + 1013904223) mod 2^32 from the seed on; each step gives state >> 24.

    The first step gives red of the top left pixel, then green, blue, then the pixel to its right.
    """
    state, values = seed, []
    for _ in range(size * size * 3):
        state = (1664525 * state + 1013904223) % 2 ** 32
        values.append(state >> 24)
    return np.array(values, np.uint8).reshape(size, size, 3)


def preprocess(folder, image):
    """As the folder's preprocessor_config.json says: uint8 RGB -> float32 [3, H, W]."""
    config = json.loads((folder / "preprocessor_config.json").read_text())
    size = config["size"]
    if "shortest_edge" in size:
        picture = clip(Image.fromarray(image), size["shortest_edge"], config["crop_size"]["height"])
    else:
        picture = siglip(Image.fromarray(image), size["height"], size["height"])
    x = np.asarray(picture).astype(np.float64) * config["rescale_factor"]
    x = (x - np.array(config["image_mean"])) / np.array(config["image_std"])
    return torch.from_numpy(x.astype(np.float32)).permute(2, 0, 1).contiguous()


# ---- JSON ---------------------------------------------------------------------------------------------------------


def number(value):
    text = f"{float(value):.9g}"
    return text if any(c in text for c in ".en") else text + ".0"


def numbers(values):
    return "[" + ",".join(number(v) for v in values) + "]"


def matrix(rows):
    return "[\n" + ",\n".join(numbers(row) for row in rows) + "\n]"


def tensor(x, rows=None):
    """[rows, columns]; all rows, or the named ones of a large tensor."""
    chosen = list(range(len(x))) if rows is None else rows
    return (f'{{"shape":[{x.shape[0]},{x.shape[1]}],"rows":{json.dumps(chosen)},"values":{matrix(x[chosen])}}}')


def write(path, members):
    text = "{\n" + ",\n".join(f'"{key}": {value}' for key, value in members) + "\n}\n"
    json.loads(text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


# ---- cases --------------------------------------------------------------------------------------------------------


def policy_json(policy, visual):
    fastv = None
    if policy.fastv:
        k, r = policy.fastv
        fastv = {"K": k, "R": r, "keep": keep_count(visual, r)}
    members = {"fastv": fastv, "shortv": list(policy.shortv), "vtw": policy.vtw}
    if policy.victor:
        members["victor"] = {"M": policy.victor[0], "K": policy.victor[1]}
    if policy.dyvte:
        members["dyvte"] = True
    if policy.fastv_rows != "last":
        members["fastv_rows"] = policy.fastv_rows
    if policy.random:
        members["random"] = [{"before": b, "keep": keep, "seed": seed} for b, keep, seed in policy.random]
    if policy.norm:
        members["norm"] = [{"before": b, "keep": keep} for b, keep in policy.norm]
    if policy.merge:
        members["merge"] = [{"before": b, "keep": keep} for b, keep in policy.merge]
    if policy.ficoco_l:
        members["ficocol"] = list(policy.ficoco_l)
    if policy.pyramid:
        members["pyramid"] = {"lambda": policy.pyramid[0], "S": policy.pyramid[1]}
    if policy.heads:
        members["heads"] = [{"layer": layer, "heads": list(heads)} for layer, heads in policy.heads]
    told = {"fastv", "fastv_rows", "shortv", "vtw", "victor", "dyvte", "random", "norm", "merge", "ficoco_l", "pyramid", "heads", "said"}
    members |= {field.name: getattr(policy, field.name) for field in fields(policy) if field.name not in told and getattr(policy, field.name)}
    return json.dumps(members)


def margin(values):
    """How far the highest is above the second, in standard deviations of all."""
    top = torch.topk(values, 2).values
    return float((top[0] - top[1]) / values.std())


def separation(model, prefix, suffix, pixels, cases, steps=STEPS):
    """The smallest score gap and logit margin over all cases: both must stand clear of rounding."""
    gaps, margins = [1.0], []
    for policy in cases.values():
        visual = model.image(pixels, policy, suffix)
        gaps += visual.gaps
        prefill, _, after = model.generate(prefix, visual, suffix, policy, steps)
        gaps.append(prefill.gap)
        margins += [margin(row) for row in [prefill.logits, *after[:-1]]]
    gaps.append(model.gate_gap)
    return min(gaps), min(margins)


def write_case(path, model, tokenizer, prefix, pixels, suffix, policy):
    visual = model.image(pixels, policy, suffix)
    assert min([1.0, *visual.gaps]) > 1e-4, (path, visual.gaps)
    prefill, tokens, after = model.generate(prefix, visual, suffix, policy, STEPS)
    masked, survivors = model.masked_logits(prefix, visual, suffix, policy, tokens)
    for ours, other in zip([prefill.logits, *after], masked):
        assert torch.allclose(ours, other, rtol=1e-4, atol=2e-5), (path, float((ours - other).abs().max()))
    assert survivors == prefill.survivors, path
    assert prefill.gap > 1e-4 and model.gate_gap > 1e-3, (path, prefill.gap, model.gate_gap)
    assert model.sparse_gap > 5e-5, (path, model.sparse_gap)
    assert model.skip_gap > 2e-5, (path, model.skip_gap)
    assert min(margin(row) for row in [prefill.logits, *after[:-1]]) > 1e-3, path

    members = [("policy", policy_json(policy, len(visual.rows)))]
    if visual.kept:
        members.append(("kept_before_decoder", json.dumps(visual.kept)))
    if prefill.kept is not None and not policy.merges():
        members += [("fastv_scores", numbers(prefill.scores)), ("kept", json.dumps([visual.kept[-1][i] for i in prefill.kept] if visual.kept else prefill.kept))]
    if policy.random or policy.norm or policy.merges() or policy.pyramid or policy.relevance or policy.aim or policy.sparse_vlm or policy.dart:
        members.append(("survivors", json.dumps(prefill.survivors)))
    if prefill.held is not None:
        members.append(("held", json.dumps(prefill.held)))
    if policy.sepllm:
        members += [("evicted", json.dumps(prefill.evicted)), ("kv_texts", json.dumps(prefill.texts))]
    if policy.ffn_skip:
        members.append(("skipped", json.dumps(prefill.skips)))
    if policy.dyvte:
        members.append(("exit_layer", json.dumps(prefill.exit)))
    members += [
        ("kv_rows", json.dumps(prefill.rows)),
        ("last_row_after_layer", matrix(row[:4] for row in prefill.last_rows)),
        ("logits", numbers(prefill.logits)),
        ("tokens", json.dumps(tokens)),
        ("text", json.dumps(tokenizer.decode(tokens))),
        ("step_logits", matrix(after)),
    ]
    write(path, members)
    print(f"{path.parent.name:15} {path.stem:14} kv rows {prefill.rows}  tokens {tokens}")


def around_image(model, tokenizer, text):
    """Token ids before and after the image."""
    ids = tokenizer.encode(text)
    at = ids.index(model.config.image_token_id)
    return ids[:at], ids[at + 1:]


def write_model(name, folder, image, image_json, texts, cases):
    """texts: name -> prompt. Case files are named after the prompt where there are several."""
    model, tokenizer = Llava(folder), Tokenizer(folder)
    prompts = {prompt: around_image(model, tokenizer, text) for prompt, text in texts.items()}
    pixels = preprocess(folder, image)
    features, visual = model.encode_image(pixels)
    # Of the sample model's many rows a few are enough.
    some = None if len(features) * features.shape[1] <= 4096 else [0, 1, 2, len(features) // 2, len(features) - 1]
    out = OUT / name
    only_new = "--new" in sys.argv
    for stale in [] if only_new else out.glob("*.json"):
        stale.unlink()
    all_cases = json.dumps([case_file(prompts, p, c) for p in prompts for c in cases])
    if only_new:
        lines = (out / "inputs.json").read_text().split("\n")
        at = next(i for i, line in enumerate(lines) if line.startswith('"cases": '))
        lines[at] = f'"cases": {all_cases}'
        (out / "inputs.json").write_text("\n".join(lines))
    else:
        write(out / "inputs.json", [
            ("checkpoint", json.dumps(folder.relative_to(ROOT).as_posix())),
            ("weights_sha256", json.dumps({p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.glob("*.safetensors"))})),
            ("image", json.dumps(image_json)),
            ("rgb_sha256", json.dumps(hashlib.sha256(image.tobytes()).hexdigest())),
            ("pixel_values", f'{{"shape":{list(pixels.shape)},"first_of_channel":{matrix(p.flatten()[:8] for p in pixels)},'
                             f'"sum_of_channel":{numbers(pixels.double().sum((1, 2)))}}}'),
            ("vision_features", tensor(features, some)),
            ("visual_embeddings", tensor(visual, some)),
            ("visual_tokens", str(len(visual))),
            ("image_token_id", str(model.config.image_token_id)),
            ("prompts", json.dumps({p: {"text": texts[p], "prefix": prefix, "suffix": suffix} for p, (prefix, suffix) in prompts.items()})),
            ("cases", all_cases),
        ])
    for prompt, (prefix, suffix) in prompts.items():
        for case, policy in cases.items():
            path = out / (case_file(prompts, prompt, case) + ".json")
            if not (only_new and path.exists()):
                write_case(path, model, tokenizer, prefix, pixels, suffix, policy)


def case_file(prompts, prompt, case):
    return case if len(prompts) == 1 else f"{prompt}.{case}"


def tiny(name):
    model_image = lcg_image(IMAGE_SEEDS[name], IMAGE_SIZES[name])
    image_json = {"kind": "lcg", "seed": IMAGE_SEEDS[name], "width": IMAGE_SIZES[name], "height": IMAGE_SIZES[name]}
    folder = make_checkpoints.FOLDER / name
    write_model(name, folder, model_image, image_json, {"prompt": PROMPTS[name]}, CASES[name])
    if "--new" in sys.argv:
        return

    tokenizer = Tokenizer(folder)
    encoded = [(text, tokenizer.encode(text)) for text in [PROMPTS[name], *TEXTS]]
    lines = [json.dumps({"text": t, "ids": ids, "decoded": tokenizer.decode(ids)}) for t, ids in encoded]
    write(HERE / "goldens" / "tokenizer" / f"{name}.json", [
        ("checkpoint", json.dumps(folder.relative_to(ROOT).as_posix())), ("cases", "[\n" + ",\n".join(lines) + "\n]")])


def shapes():
    model, tokenizer = Llava(SHAPES), Tokenizer(SHAPES)
    for path in sorted(SHAPES_IMAGES.rglob("*.png")):
        image = np.asarray(Image.open(path).convert("RGB"))
        pixels = preprocess(SHAPES, image)
        texts = {}
        for question in SHAPES_QUESTIONS:
            text = f"USER: <image>\n{question} ASSISTANT:"
            gaps, margins = separation(model, *around_image(model, tokenizer, text), pixels, {name: SHAPES_CASES[name] for name in SHAPES_CHOSEN_BY})
            if gaps > 5e-4 and margins > 5e-3 and len(texts) < 2:
                texts[f"q{len(texts) + 1}"] = text
        if len(texts) == 2:
            file = {"kind": "file", "file": path.relative_to(ROOT).as_posix()}
            return write_model("shapes", SHAPES, image, file, texts, SHAPES_CASES)
    raise SystemExit(f"no picture in {SHAPES_IMAGES} has scores and logits that stand well apart")


IMAGE_SEEDS = {"clip-llama": 11, "siglip-qwen2": 22, "clip-llama-f16": 33}
IMAGE_SIZES = {"clip-llama": 48, "siglip-qwen2": 40, "clip-llama-f16": 28}


def search():
    for name, maker in make_checkpoints.MAKERS.items():
        kept_seed = make_checkpoints.SEEDS[name]
        for seed in range(1, 31):
            make_checkpoints.SEEDS[name] = seed
            maker()
            folder = make_checkpoints.FOLDER / name
            model = Llava(folder)
            pixels = preprocess(folder, lcg_image(IMAGE_SEEDS[name], IMAGE_SIZES[name]))
            prefix, suffix = around_image(model, Tokenizer(folder), PROMPTS[name])
            gaps, margins = separation(model, prefix, suffix, pixels, CASES[name])
            runs = [model.generate(prefix, model.image(pixels, policy, suffix), suffix, policy) for policy in CASES[name].values()]
            variety = [len(set(tokens)) for _, tokens, _ in runs]
            print(f"{name:15} seed {seed:2}  score gap {gaps:.1e}  logit margin {margins:.1e}"
                  f"  logit deviation {runs[0][0].logits.std():.2f}  different tokens {variety}")
        make_checkpoints.SEEDS[name] = kept_seed
        maker()


def main():
    if "--search" in sys.argv:
        return search()
    wanted = [name for name in sys.argv[1:] if not name.startswith("--")] or [*make_checkpoints.MAKERS, *(["shapes"] if SHAPES.exists() else [])]
    for name in wanted:
        shapes() if name == "shapes" else tiny(name)


if __name__ == "__main__":
    main()
