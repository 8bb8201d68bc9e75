#!/usr/bin/python3
"""Writes goldens/llava/<model>/: inputs.json and one file a case.

    python3 make_goldens.py                    the tiny checkpoints, and the sample model if its folder exists
    python3 make_goldens.py clip-llama         one of them (clip-llama, siglip-qwen2, clip-llama-f16, shapes)
    python3 make_goldens.py --search           instead of writing, report which seeds of the tiny checkpoints give
                                               scores and logits that are well apart

README.md describes the files. Every case is computed twice, with rows dropped and cached and with columns masked over
the whole sequence; the two must agree before anything is written.
"""
import hashlib
import importlib.util
import json
import pathlib
import sys

import numpy as np
import torch
from PIL import Image

import make_checkpoints
from golden_images import clip, siglip
from llava import Llava, Policy, keep_count

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
    },
    "siglip-qwen2": {
        "dense": Policy(), "fastv": Policy(fastv=(3, 0.4)), "shortv": Policy(shortv=(0, 4)), "vtw": Policy(vtw=3),
        "all": ALL, "fastv-half": Policy(fastv=(2, 0.5)),  # 25 tokens: 12.5 is kept as 12
    },
    "clip-llama-f16": {
        "dense": Policy(), "fastv": Policy(fastv=(1, 0.75)), "shortv": Policy(shortv=(2, 3, 5)), "vtw": Policy(vtw=1),
        "all": Policy(fastv=(2, 0.5), shortv=(3,), vtw=4),
    },
}
# Token ids around the image. The first and last are what the tokenizers' templates would put there.
PROMPTS = {
    "clip-llama": ([1, 259, 262, 270, 301], [16, 260, 265, 281, 290, 319, 3, 268]),
    "siglip-qwen2": ([305, 84, 258, 17], [10, 270, 33, 261, 299, 306, 10]),
    "clip-llama-f16": ([1, 300, 12], [263, 277, 259, 291, 318, 305]),
}


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
    return json.dumps({"fastv": fastv, "shortv": list(policy.shortv), "vtw": policy.vtw})


def margin(values):
    """How far the highest is above the second, in standard deviations of all."""
    top = torch.topk(values, 2).values
    return float((top[0] - top[1]) / values.std())


def gap(prefill):
    """Relative distance between the lowest kept and the highest dropped score."""
    dropped = set(range(len(prefill.scores))) - set(prefill.kept)
    low, high = min(prefill.scores[i] for i in prefill.kept), max(prefill.scores[i] for i in dropped)
    return (low - high) / low


def separation(model, prefix, visual, suffix, cases, steps=STEPS):
    """The smallest score gap and logit margin over all cases: both must stand clear of rounding."""
    gaps, margins = [1.0], []
    for policy in cases.values():
        prefill, _, after = model.generate(prefix, visual, suffix, policy, steps)
        if prefill.kept is not None:
            gaps.append(gap(prefill))
        margins += [margin(row) for row in [prefill.logits, *after[:-1]]]
    return min(gaps), min(margins)


def write_case(path, model, prefix, visual, suffix, policy):
    prefill, tokens, after = model.generate(prefix, visual, suffix, policy, STEPS)
    masked, kept = model.masked_logits(prefix, visual, suffix, policy, tokens)
    for ours, other in zip([prefill.logits, *after], masked):
        assert torch.allclose(ours, other, rtol=1e-4, atol=2e-5), (path, float((ours - other).abs().max()))
    assert kept == prefill.kept, path
    if kept is not None:
        assert gap(prefill) > 1e-4, (path, gap(prefill))
    assert min(margin(row) for row in [prefill.logits, *after[:-1]]) > 1e-3, path

    members = [("policy", policy_json(policy, len(visual)))]
    if prefill.kept is not None:
        members += [("fastv_scores", numbers(prefill.scores)), ("kept", json.dumps(prefill.kept))]
    members += [
        ("kv_rows", json.dumps(prefill.rows)),
        ("last_row_after_layer", matrix(row[:4] for row in prefill.last_rows)),
        ("logits", numbers(prefill.logits)),
        ("tokens", json.dumps(tokens)),
        ("step_logits", matrix(after)),
    ]
    write(path, members)


def write_model(name, folder, image, image_json, prompts, cases):
    """prompts: name -> (prefix, suffix). Case files are named after the prompt where there are several."""
    model = Llava(folder)
    pixels = preprocess(folder, image)
    features, visual = model.encode_image(pixels)
    # Of the sample model's many rows a few are enough.
    some = None if len(features) * features.shape[1] <= 4096 else [0, 1, 2, len(features) // 2, len(features) - 1]
    out = OUT / name
    for stale in out.glob("*.json"):
        stale.unlink()
    write(out / "inputs.json", [
        ("checkpoint", json.dumps(folder.relative_to(ROOT).as_posix())),
        ("image", json.dumps(image_json)),
        ("rgb_sha256", json.dumps(hashlib.sha256(image.tobytes()).hexdigest())),
        ("pixel_values", f'{{"shape":{list(pixels.shape)},"first_of_channel":{matrix(p.flatten()[:8] for p in pixels)},'
                         f'"sum_of_channel":{numbers(pixels.double().sum((1, 2)))}}}'),
        ("vision_features", tensor(features, some)),
        ("visual_embeddings", tensor(visual, some)),
        ("visual_tokens", str(len(visual))),
        ("image_token_id", str(model.config.image_token_id)),
        ("prompts", json.dumps({p: {"prefix": prefix, "suffix": suffix} for p, (prefix, suffix) in prompts.items()})),
        ("cases", json.dumps([case_file(prompts, p, c) for p in prompts for c in cases])),
    ])
    for prompt, (prefix, suffix) in prompts.items():
        for case, policy in cases.items():
            path = out / (case_file(prompts, prompt, case) + ".json")
            write_case(path, model, prefix, visual, suffix, policy)
            prefill, tokens, _ = model.generate(prefix, visual, suffix, policy)
            print(f"{name:15} {path.stem:22} kv rows {prefill.rows}  tokens {tokens}")


def case_file(prompts, prompt, case):
    return case if len(prompts) == 1 else f"{prompt}.{case}"


def tiny(name):
    model_image = lcg_image(IMAGE_SEEDS[name], IMAGE_SIZES[name])
    image_json = {"kind": "lcg", "seed": IMAGE_SEEDS[name], "width": IMAGE_SIZES[name], "height": IMAGE_SIZES[name]}
    write_model(name, make_checkpoints.FOLDER / name, model_image, image_json, {"prompt": PROMPTS[name]}, CASES[name])


IMAGE_SEEDS = {"clip-llama": 11, "siglip-qwen2": 22, "clip-llama-f16": 33}
IMAGE_SIZES = {"clip-llama": 48, "siglip-qwen2": 40, "clip-llama-f16": 28}


def search():
    for name, maker in make_checkpoints.MAKERS.items():
        for seed in range(1, 9):
            make_checkpoints.SEEDS[name] = seed
            maker()
            model = Llava(make_checkpoints.FOLDER / name)
            _, visual = model.encode_image(preprocess(make_checkpoints.FOLDER / name, lcg_image(IMAGE_SEEDS[name], IMAGE_SIZES[name])))
            dense = model.prefill(*[PROMPTS[name][0], visual, PROMPTS[name][1]])
            gaps, margins = separation(model, PROMPTS[name][0], visual, PROMPTS[name][1], CASES[name])
            fastv = model.prefill(PROMPTS[name][0], visual, PROMPTS[name][1], CASES[name]["fastv"]).scores
            print(f"{name:15} seed {seed}  score gap {gaps:.2e}  logit margin {margins:.2e}  logit std {dense.logits.std():.2f}"
                  f"  scores {min(fastv):.1e}..{max(fastv):.1e}  visual std {visual.std():.2f} between rows {visual.std(0).mean():.2f}")


def main():
    if "--search" in sys.argv:
        return search()
    wanted = sys.argv[1:] or [*make_checkpoints.MAKERS]
    for name in wanted:
        tiny(name)


if __name__ == "__main__":
    main()
