"""Makes the static matrices of Prune and Merge for the sample model; see README.md.

    python3 prune_and_merge.py              writes ../models/shapes/prune-and-merge-72.safetensors
    python3 prune_and_merge.py --rows 96

The model itself stays as it is. A patch of a tower layer is as important as the attention that it receives times what the
loss of the answers would change with it, added up over scenes; the most important stay alone, the least important are in no
row, and what lies between two that stay becomes one row.
"""
import argparse
import os
import time

import torch

from folder import read_folder, write_safetensors
from model import ClipAttention, heads, join
from scenes import GRID
from train import Batch, answer_loss

FIRST_SEED = 700_000_000
SCENES, QUESTIONS, BATCHES = 8, 12, 12
LAYERS = (1, 2, 3, 4)       # of the layers that run, all but the first
PRUNED = 0.1                # the share of the patches that is in no row
MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "models", "shapes")


def remember(self, x, rows=None):
    """As ClipAttention attends, with the map kept for its gradient."""
    q, k, v = (heads(p(y), self.count) for p, y in ((self.q_proj, x[:, :rows]), (self.k_proj, x), (self.v_proj, x)))
    self.map = ((q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)).softmax(-1)
    self.map.retain_grad()
    return self.out_proj(join(self.map @ v))


def importance(model, tokenizer):
    """Layer -> one number a patch: the sum over scenes, heads and rows of |attention * gradient| in the patch's column."""
    layers = {i: model.vision_tower.vision_model.encoder.layers[i].self_attn for i in LAYERS}
    sums = {i: torch.zeros(GRID * GRID) for i in LAYERS}
    for step in range(BATCHES):
        batch = Batch(FIRST_SEED + step * SCENES, SCENES, tokenizer, questions=QUESTIONS)
        loss = answer_loss(model, tokenizer, model.look(batch.pixels), batch)[0]
        loss.backward()
        for i, attention in layers.items():
            sums[i] += (attention.map * attention.map.grad).abs().sum((0, 1, 2)).detach()[1:]
        model.zero_grad(set_to_none=True)
        print(f"{step + 1} of {BATCHES}: loss {float(loss):.3f}", flush=True)
    return sums


def segments(alone, inside):
    """Runs of patches, in reading order, that no patch that stays alone interrupts."""
    found, current = [], []
    for patch in inside:
        if patch in alone:
            found, current = found + [current], []
        else:
            current.append(patch)
    return [run for run in found + [current] if run]


def matrix(importances, rows):
    """[rows, patches], each row a mean."""
    order = importances.argsort().tolist()
    inside = sorted(order[int(len(order) * PRUNED):])
    best = order[::-1]
    for count in range(rows, -1, -1):       # as many alone as the segments between them leave room for
        alone = set(best[:count])
        groups = [[patch] for patch in sorted(alone)] + segments(alone, inside)
        if len(groups) <= rows:
            break
    while len(groups) < rows:               # room for one more: the longest segment in two
        longest = max(groups, key=len)
        groups.remove(longest)
        groups += [longest[:len(longest) // 2], longest[len(longest) // 2:]]
    weights = torch.zeros(rows, len(importances))
    for row, members in enumerate(sorted(groups)):
        weights[row, members] = 1 / len(members)
    print(f"{sum(len(g) == 1 for g in groups)} patches alone, {sum(len(g) > 1 for g in groups)} segments of up to {max(map(len, groups))}, {len(order) - len(inside)} in no row")
    return weights


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=72)
    rows = parser.parse_args().rows
    torch.manual_seed(0)
    torch.set_num_threads(1)
    began = time.time()
    model, tokenizer = read_folder(MODEL)
    ClipAttention.forward = remember
    sums = importance(model, tokenizer)
    path = os.path.join(MODEL, f"prune-and-merge-{rows}.safetensors")
    write_safetensors(path, {f"prune_and_merge.layers.{i}.merge": matrix(sums[i], rows) for i in LAYERS})
    print(f"{os.path.getsize(path)} bytes after {time.time() - began:.0f} s")
