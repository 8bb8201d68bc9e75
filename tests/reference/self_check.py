#!/usr/bin/python3
"""Checks the reference against itself; a few seconds. Exits with 1 at the first property that does not hold.

    python3 self_check.py
"""
import torch

import make_checkpoints
from llava import ACTIVATIONS, Llava, Policy, decoder_layer, keep_count, keep_highest, keep_random, rotate, split_mix_64
from make_goldens import IMAGE_SEEDS, IMAGE_SIZES, PROMPTS, TEXTS, around_image, lcg_image, preprocess
from tokenization import Tokenizer


def close(a, b, what, tolerance=2e-5):
    difference = float((a - b).abs().max())
    assert difference <= tolerance, f"{what}: {difference:.2e}"


def equal(a, b, what):
    assert torch.equal(a, b), what


def small_parts():
    assert keep_count(576, 0.5) == 288 and keep_count(25, 0.5) == 12 and keep_count(27, 0.5) == 14
    assert keep_count(36, 0.75) == 9 and keep_count(25, 0.4) == 15 and keep_count(7, 0.0) == 7
    assert keep_highest([1.0, 3.0, 3.0, 2.0, 3.0], 2) == [1, 2]
    # The first numbers of the seed 1234567, as published with the reference code of the generator.
    numbers = split_mix_64(1234567)
    assert [next(numbers) for _ in range(3)] == [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert keep_random(5, 5, 0) == [0, 1, 2, 3, 4] and keep_random(9, 1, 3) != keep_random(9, 1, 4)
    x = torch.randn(1000) * 3
    close(ACTIVATIONS["gelu"](x), torch.nn.functional.gelu(x), "gelu", 1e-6)
    close(ACTIVATIONS["gelu_pytorch_tanh"](x), torch.nn.functional.gelu(x, approximate="tanh"), "tanh gelu", 1e-6)
    close(ACTIVATIONS["silu"](x), torch.nn.functional.silu(x), "silu", 1e-6)

    # RoPE: lengths stay, and products depend on the distance of the positions alone.
    q, k = torch.randn(1, 1, 16), torch.randn(1, 1, 16)
    at = lambda v, p: rotate(v, torch.tensor([p]), 10000.0)[0, 0]
    close(at(q, 0), q[0, 0], "RoPE at position 0")
    close(at(q, 9).norm(), q.norm(), "RoPE keeps the length")
    close(at(q, 12) @ at(k, 5), at(q, 107) @ at(k, 100), "RoPE is relative", 1e-4)


def check(name):
    folder = make_checkpoints.FOLDER / name
    model = Llava(folder)
    features, visual = model.encode_image(preprocess(folder, lcg_image(IMAGE_SEEDS[name], IMAGE_SIZES[name])))
    tokenizer = Tokenizer(folder)
    prefix, suffix = around_image(model, tokenizer, PROMPTS[name])
    layers, n = model.layers, len(visual)

    # The tower computes nothing behind the feature layer, wherever that lies.
    tower = model.config.vision
    used = tower.num_hidden_layers + 1 + model.config.feature_layer
    for key in list(model.weights):
        if any(key.startswith(f"vision_tower.encoder.layers.{i}.") for i in range(used, tower.num_hidden_layers)) or "post_layernorm" in key:
            model.weights[key] = torch.full_like(model.weights[key], float("nan")) if "post_layernorm" in key else torch.randn_like(model.weights[key])
    equal(model.encode_image(preprocess(folder, lcg_image(IMAGE_SEEDS[name], IMAGE_SIZES[name])))[0], features, "feature layer")

    def run(policy):
        prefill, tokens, after = model.generate(prefix, visual, suffix, policy, steps=4)
        return prefill, tokens, torch.stack([prefill.logits, *after])

    dense, dense_tokens, dense_logits = run(Policy())
    assert dense.rows == [len(prefix) + n + len(suffix)] * layers

    for what, policy in {"VTW with K = L": Policy(vtw=layers), "FastV with R = 0": Policy(fastv=(2, 0.0))}.items():
        _, _, logits = run(policy)
        equal(logits, dense_logits, what)
    frozen_last, _, logits = run(Policy(shortv=(layers - 1,)))
    equal(logits, dense_logits, "ShortV of the last layer only")
    equal(frozen_last.caches[-1][0], dense.caches[-1][0], "keys of a frozen last layer")

    policies = {
        "FastV": Policy(fastv=(2, 0.5)), "FastV late": Policy(fastv=(layers - 1, 0.75)), "ShortV": Policy(shortv=(0, 3, 4)),
        "VTW": Policy(vtw=3), "VTW first": Policy(vtw=1), "together": Policy(fastv=(2, 0.5), shortv=(1, 3, 4), vtw=5),
        "random": Policy(random=((0, 12, 7), (3, 5, -3))), "norm": Policy(norm=((0, 12), (3, 5)), shortv=(2,), vtw=4),
        "mean": Policy(fastv=(2, 0.5), fastv_rows="mean"), "mean of frozen": Policy(fastv=(3, 0.5), fastv_rows="mean", shortv=(2,)),
        "pyramid": Policy(pyramid=(0.5, 3)), "pyramid together": Policy(norm=((1, 12),), pyramid=(0.6, 3), shortv=(1, 4), vtw=5),
    }
    for what, policy in policies.items():
        prefill, tokens, logits = run(policy)
        masked, survivors = model.masked_logits(prefix, visual, suffix, policy, tokens)
        assert survivors == prefill.survivors, f"{what}: kept by masking {survivors}, by dropping {prefill.survivors}"
        close(logits, masked, f"{what}: dropped rows against masked columns")
        assert float((logits - dense_logits).abs().max()) > 1e-3, f"{what} changes nothing"
        # Below the first reduction all is dense; above it the caches are as long as the rows that are left.
        for i in range(layers):
            done = sum(b <= i for b in policy.boundaries(layers))
            left = n if done == 0 else len(prefill.survivors[done - 1])
            left = 0 if policy.vtw is not None and i >= policy.vtw else left
            assert prefill.rows[i] == prefill.caches[i][0].shape[1] == len(prefix) + left + len(suffix), what
        if prefill.kept is not None:
            k = policy.fastv[0]
            expected = [*range(len(prefix)), *(len(prefix) + i for i in prefill.kept), *range(len(prefix) + n, dense.rows[0])]
            assert k == policy.vtw or prefill.caches[k][2].tolist() == expected, f"{what}: positions"
            assert 0 < sum(prefill.scores) < 1

    # PyramidDrop: no gaps from the first boundary on, the unreduced positions below it, and each decoded token stands
    # right behind the rows of its layer.
    prefill = model.prefill(prefix, visual, suffix, policies["pyramid"])
    assert [len(s) for s in prefill.survivors] == [int(n * 0.5), int(n * 0.25)]
    for cache, rows in zip(prefill.caches, prefill.rows):
        assert cache[2].tolist() == list(range(rows))
    _, longer = model.decode(prefill.caches, dense_tokens[0])
    assert [cache[2][-1].item() for cache in longer] == prefill.rows

    # Before the decoder: keeping everything changes nothing; what is kept is what the decoder sees; positions as promised.
    whole = {"DivPrune of all": Policy(divprune=n), "G-Prune of all": Policy(gprune=(n, 0.1, 0.1, 5))}
    cls = model.config.vision.model_type == "clip_vision_model"
    if cls:
        whole["VTC-CLS of all"] = Policy(vtccls=(n, 0))
    pixels = preprocess(folder, lcg_image(IMAGE_SEEDS[name], IMAGE_SIZES[name]))
    for what, policy in whole.items():
        image = model.image(pixels, policy)
        equal(image.rows, visual, what)
        assert image.positions == n and image.kept == [list(range(n))], what
    image = model.image(pixels, Policy(gprune=(n // 2, 0.1, 0.1, 5)))
    assert image.places.tolist() == image.kept[0] and image.positions == n
    equal(image.rows, visual[image.kept[0]], "G-Prune keeps rows")
    image = model.image(pixels, Policy(divprune=n // 2))
    assert image.places.tolist() == list(range(n // 2)) and image.positions == n // 2
    if cls:
        image = model.image(pixels, Policy(visionzip=(5, 3)))
        assert len(image.rows) == 8 and image.kept[0][0] == -1 and len(set(image.kept[0])) == 8
        close(image.rows[1:5], visual[image.kept[0][1:5]], "dominant tokens are projected patches")

    # Frozen means: visual rows do not move, text rows do as in a dense layer that starts from the same rows.
    x = torch.cat([model.embed(prefix), visual, model.embed(suffix)])
    with torch.no_grad():
        _, (keys, values, _), _ = decoder_layer(model.config.text, model.weights, 1, x, torch.arange(len(x)))
    frozen = model.prefill(prefix, visual, suffix, Policy(shortv=(0, 1)))
    start, stop = len(prefix), len(prefix) + n
    equal(frozen.caches[1][0][:, start:stop], keys[:, start:stop], "keys after a frozen layer are those of the unmoved rows")
    equal(frozen.caches[1][1][:, start:stop], values[:, start:stop], "values after a frozen layer are those of the unmoved rows")

    # Decoding through the caches is the same as a longer prompt.
    masked, _ = model.masked_logits(prefix, visual, [*suffix, *dense_tokens[:3]])
    close(masked[0], dense_logits[3], "decoding against a longer prompt")

    for wrong in (Policy(vtw=0), Policy(fastv=(0, 0.5)), Policy(fastv=(3, 0.5), vtw=3), Policy(shortv=(layers,)), Policy(shortv=(4,), vtw=4),
                  Policy(random=((layers, 5, 0),)), Policy(norm=((2, 5),), vtw=2), Policy(pyramid=(0.5, 1)), Policy(pyramid=(0.5, 3), vtw=3), Policy(fastv=(2, 0.5), pyramid=(0.5, 3)),
                  Policy(fastv=(2, 0.5), norm=((2, 5),))):
        try:
            wrong.validate(layers)
        except ValueError:
            continue
        raise AssertionError(f"{wrong} was accepted")


if __name__ == "__main__":
    torch.manual_seed(0)
    small_parts()
    for checkpoint in make_checkpoints.MAKERS:
        check(checkpoint)
        print(f"{checkpoint}: every property holds")
