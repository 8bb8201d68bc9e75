"""Trains the gates that let visual tokens leave the sample model early (DyVTE, arXiv 2411.19628); see README.md.

    python3 dyvte.py                writes ../models/shapes/dyvte.safetensors
    python3 dyvte.py --evaluate     asks the held-out questions with what was written

The model itself stays as it is. Behind every layer but the last a gate reads the text rows and says stay or exit. What
it should say is known: the decoder goes on without the visual rows, and the answer is compared with that of all rows.
"""
import argparse
import collections
import json
import math
import os
import time

import torch
import torch.nn.functional as F
from torch import nn

from evaluate import LONGEST, look
from folder import read_folder, read_safetensors, write_safetensors
from model import AttendInBlocks, attend_causally
from tokenizer import EOS, prompt
from train import Batch

FIRST_SEED = 600_000_000
SCENES, QUESTIONS, BATCHES = 16, 12, 48
INNER = 64                  # width of a gate; 2048 for the paper's 8192 inputs
LOSS_RATIO, LOSS_SLACK = 1.03, 0.01
EPOCHS, BATCH, RATE = 12, 512, 1e-3
STAY_WEIGHT = 5.0           # a wrong exit loses an answer, a wrong stay only some time, and there are nine gates to pass
MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "models", "shapes")
FILE = os.path.join(MODEL, "dyvte.safetensors")
NAME = "model.visual_gates_router.{}.w{}.weight"


class Gates(nn.Module):
    """One a layer: W2 gelu(W1 [mean of the text rows but the last, last row]), no biases. Class 1 is exit."""

    def __init__(self, layers, width):
        super().__init__()
        self.w1 = nn.ParameterList(nn.Parameter(torch.randn(INNER, 2 * width) * (2 * width) ** -0.5) for _ in range(layers))
        self.w2 = nn.ParameterList(nn.Parameter(torch.randn(2, INNER) * INNER ** -0.5) for _ in range(layers))

    def forward(self, layer, inputs):
        return F.linear(F.gelu(F.linear(inputs, self.w1[layer])), self.w2[layer])


@torch.no_grad()
def lessons(model, tokenizer, seed):
    """For the questions of some scenes: what each gate would read [layers - 1, questions, 2 * width], and whether exit was right."""
    batch = Batch(seed, SCENES, tokenizer, questions=QUESTIONS)
    count, asked, width = batch.rows.shape
    decoder = model.language_model.model
    prefix = model.embed(torch.tensor(tokenizer.encode(prompt("").split("<image>")[0], bos=True)))
    visual = model.look(batch.pixels)
    before, image = len(prefix), visual.shape[1]
    x = torch.cat([prefix.expand(count, -1, -1), visual, model.embed(batch.rows.flatten(1))], 1)
    with_image, without = AttendInBlocks(before + image, asked, width), AttendInBlocks(before, asked, width)
    positions = torch.cat([torch.arange(before + image), before + image + with_image.positions])
    cos, sin = (table[positions] for table in decoder.tables)
    text = torch.cat([torch.arange(before), torch.arange(before + image, len(positions))])
    prompts = (batch.targets != -100).float().argmax(-1).flatten()      # the row that says the first answer token

    def verdict(rows):
        logits = model.language_model.lm_head(decoder.norm(rows[:, -asked * width:]))
        loss = F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), ignore_index=-100, reduction="none")
        matters = batch.targets.flatten(1) != -100
        losses = loss.view(-1, width).sum(-1) / matters.view(-1, width).sum(-1)
        return logits.argmax(-1).view(-1, width), losses, matters.view(-1, width)

    inputs, exits = [], []
    for i, layer in enumerate(decoder.layers[:-1]):
        x = layer(x, cos, sin, with_image)
        rows = x[:, -asked * width:].reshape(-1, width, x.shape[-1])
        head = torch.arange(width)[None] < prompts[:, None]
        mean = (rows * head[..., None]).sum(1) / head.sum(1, keepdim=True)
        inputs.append(torch.cat([mean, rows[torch.arange(len(rows)), prompts]], 1))
        y = x[:, text]
        for later in decoder.layers[i + 1:]:
            y = later(y, cos[text], sin[text], without)
        exits.append(verdict(y))
    said, loss, matters = verdict(decoder.layers[-1](x, cos, sin, with_image))
    right = [((other == said) | ~matters).all(-1) & (worse <= LOSS_RATIO * loss + LOSS_SLACK) for other, worse, _ in exits]
    return torch.stack(inputs), torch.stack(right)


def train(work):
    model, tokenizer = read_folder(MODEL)
    started = time.time()
    path = os.path.join(work, "dyvte-lessons.pt")
    parts = torch.load(path) if os.path.exists(path) else []
    for step in range(len(parts), BATCHES):
        parts.append(lessons(model, tokenizer, FIRST_SEED + step * SCENES))
        if (step + 1) % 8 == 0:
            torch.save(parts, path + ".new")
            os.replace(path + ".new", path)
            share = torch.cat([right for _, right in parts], 1).float().mean(1)
            print(f"lessons {step + 1}/{BATCHES}  exit right behind layer: " + " ".join(f"{s:.2f}" for s in share)
                  + f"  {time.time() - started:.0f} s", flush=True)
    inputs, right = torch.cat([p[0] for p in parts], 1), torch.cat([p[1] for p in parts], 1).long()
    torch.manual_seed(0)
    weight = torch.tensor([STAY_WEIGHT, 1.0])
    gates = Gates(len(inputs), inputs.shape[-1] // 2)
    optimizer = torch.optim.AdamW(gates.parameters(), lr=RATE, weight_decay=0.05)
    held = inputs.shape[1] // 10        # the last tenth is not learned from
    steps = EPOCHS * ((inputs.shape[1] - held) // BATCH)
    step = 0
    for epoch in range(EPOCHS):
        for chosen in torch.randperm(inputs.shape[1] - held).split(BATCH)[:steps // EPOCHS]:
            for group in optimizer.param_groups:
                group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
            loss = sum(F.cross_entropy(gates(i, inputs[i, chosen]), right[i, chosen], weight=weight) for i in range(len(inputs)))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            step += 1
        with torch.no_grad():
            said = torch.stack([gates(i, inputs[i, -held:]).argmax(-1) for i in range(len(inputs))])
        exits = " ".join(f"{s:.2f}" for s in said.float().mean(1))
        wrong = " ".join(f"{w:.3f}" for w in ((said == 1) & (right[:, -held:] == 0)).float().mean(1))
        print(f"epoch {epoch + 1}/{EPOCHS}  loss {float(loss):.3f}  exits behind layer: {exits}  of them wrong: {wrong}", flush=True)
    write_safetensors(FILE, {NAME.format(i, w): getattr(gates, f"w{w}")[i] for i in range(len(inputs)) for w in (1, 2)})
    print(f"{FILE}, {os.path.getsize(FILE)} bytes")


@torch.no_grad()
def evaluate(folder):
    model, tokenizer = read_folder(MODEL)
    tensors = read_safetensors(FILE)
    decoder = model.language_model.model
    with open(os.path.join(folder, "questions.jsonl"), encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    right, asked, seen, left = collections.Counter(), collections.Counter(), {}, collections.Counter()
    for line in lines:
        if line["image"] not in seen:
            seen[line["image"]] = look(model, os.path.join(folder, line["image"]))
        ids = tokenizer.encode(prompt(line["question"]), bos=True)
        at, said, exit = ids.index(tokenizer.image), [], None
        while len(said) < LONGEST:
            before, after = (model.embed(torch.tensor([part])) for part in (ids[:at], ids[at + 1:] + said))
            visual = seen[line["image"]]
            x = torch.cat([before, visual, after], 1)
            cos, sin = (table[:x.shape[1]] for table in decoder.tables)
            last = at + visual.shape[1] + len(ids) - at - 2      # of the prompt
            for i, layer in enumerate(decoder.layers):
                x = layer(x, cos, sin, attend_causally)
                if not said and exit is None and i + 1 < len(decoder.layers):
                    text = x[0, at + visual.shape[1]:last + 1]
                    both = torch.cat([text[:-1].mean(0) if len(text) > 1 else text[-1], text[-1]])
                    g = tensors[NAME.format(i, 2)] @ F.gelu(tensors[NAME.format(i, 1)] @ both)
                    exit = i if g[0] < g[1] else None
                if i == exit:
                    stay = [r for r in range(x.shape[1]) if not at <= r < at + visual.shape[1]]
                    x, cos, sin = x[:, stay], cos[stay], sin[stay]
            said.append(int(model.language_model.lm_head(decoder.norm(x[0, -1])).argmax()))
            if said[-1] == EOS:
                break
        left[exit] += 1
        asked[line["type"]] += 1
        right[line["type"]] += tokenizer.decode(said).strip() == line["answer"]
    print("| question | asked | right | accuracy |\n|---|---:|---:|---:|")
    for kind in asked:
        print(f"| {kind} | {asked[kind]} | {right[kind]} | {right[kind] / asked[kind]:.1%} |")
    print(f"| all | {sum(asked.values())} | {sum(right.values())} | {sum(right.values()) / sum(asked.values()):.1%} |")
    print("exit behind layer: " + ", ".join(f"{k}: {left[k]}" for k in sorted(left, key=lambda k: (k is None, k))))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", default="artifacts/training", help="folder of what was computed so far")
    parser.add_argument("--evaluate", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.evaluate:
        evaluate(os.path.join(MODEL, "..", "..", "evaluation"))
    else:
        os.makedirs(options.work, exist_ok=True)
        train(options.work)
