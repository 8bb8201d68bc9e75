"""Trains registers that take over from the visual tokens of the sample model (Victor, arXiv 2410.14072); see README.md.

    python3 victor.py 16                      16 registers, and the attention of the first layers, for 1200 steps
    python3 victor.py 8 --start 16 --steps 600   the same for 8, from the first 8 registers of the run before
    python3 victor.py 8 --export              writes ../models/shapes/victor-8.safetensors
    python3 victor.py 8 --evaluate            asks the held-out questions with what was exported
    python3 victor.py 16 --control            the same attention, on the same questions, in the model that keeps every token
    python3 victor.py 16 --control --evaluate asks the held-out questions with it

A run resumes from its last checkpoint, and sees what an unbroken one would have seen.
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

from evaluate import LONGEST, answer, look
from folder import read_folder, read_safetensors, write_safetensors
from model import AttendInBlocks, VISUAL_TOKENS, attend_causally
from scenes import QUESTION_TYPES
from tokenizer import EOS, prompt
from train import Batch, answer_loss as dense_loss

FIRST_SEED = 500_000_000    # training; validation uses train.VALIDATION, the held-out set seeds above scenes.HELD_OUT
EXIT = 3                    # visual tokens leave before this layer: the paper's k
ADAPTED = 5                 # the attention of this many first layers is trained with the registers
SCENES, QUESTIONS = 16, 12
RATE, WARM_UP = 1e-3, 40
MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "models", "shapes")
REGISTERS = "victor.registers"


def exported(count):
    return os.path.join(MODEL, f"victor-{count}.safetensors")


def checkpoint(count, control, work):
    return os.path.join(work, f"victor-{count}{'-control' if control else ''}.pt")


def adapted_names(model):
    prefixes = tuple(f"language_model.model.layers.{layer}.self_attn." for layer in range(ADAPTED))
    return [name for name, _ in model.named_parameters() if name.startswith(prefixes)]


def states(model, registers, prefix, visual, suffix, attention):
    """The decoder on [prefix][visual][registers][suffix]; the visual rows leave before layer EXIT, nobody is renumbered.

    `attention(context)` attends where `context` rows lie before the questions. Returns the rows of the suffix.
    """
    count, before, after = len(visual), prefix.shape[-2], suffix.shape[-2]
    x = torch.cat([prefix.expand(count, -1, -1), visual, registers.expand(count, -1, -1), suffix], 1)
    context = before + visual.shape[1] + len(registers)
    attend = attention(context)
    behind = attend.positions if isinstance(attend, AttendInBlocks) else torch.arange(after)
    positions = torch.cat([torch.arange(context), context + behind])
    decoder = model.language_model.model
    cos, sin = (table[positions] for table in decoder.tables)
    for i, layer in enumerate(decoder.layers):
        if i == EXIT:
            first = before + visual.shape[1]
            x = torch.cat([x[:, :before], x[:, first:]], 1)
            cos, sin = (torch.cat([table[:before], table[first:]]) for table in (cos, sin))
            attend = attention(context - visual.shape[1])
        x = layer(x, cos, sin, attend)
    return decoder.norm(x)[:, -after:]


def answer_loss(model, registers, tokenizer, batch):
    """Cross-entropy over answer tokens, and which questions would be answered exactly by greedy decoding."""
    with torch.no_grad():
        visual = model.look(batch.pixels)
        prefix = model.embed(torch.tensor(tokenizer.encode(prompt("").split("<image>")[0], bos=True)))
        suffix = model.embed(batch.rows.flatten(1))
    count, asked, width = batch.rows.shape
    said = states(model, registers, prefix, visual, suffix, lambda context: AttendInBlocks(context, asked, width))
    matters = batch.targets.flatten(1) != -100
    logits = model.language_model.lm_head(said[matters])
    expected = batch.targets.flatten(1)[matters]
    wrong = torch.zeros(matters.shape)
    wrong[matters] = (logits.argmax(-1) != expected).float()
    return F.cross_entropy(logits, expected), wrong.view(count, asked, width).sum(-1) == 0


def rate_at(step, steps):
    if step < WARM_UP:
        return RATE * (step + 1) / WARM_UP
    return RATE * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - WARM_UP) / (steps - WARM_UP)))))


def train(count, start, steps, work, control):
    """With `control`, what the questions teach without registers: nothing leaves, and nothing else differs."""
    model, tokenizer = read_folder(MODEL)
    torch.manual_seed(count)
    spread = model.language_model.model.embed_tokens.weight.std()
    registers = nn.Parameter(torch.randn(count, model.text_config["hidden_size"]) * spread)
    names = adapted_names(model)
    for full, parameter in model.named_parameters():
        parameter.requires_grad_(full in names)
    adapted = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW([{"params": adapted, "weight_decay": 0.01}, {"params": [registers], "weight_decay": 0.0}],
                                  lr=RATE, betas=(0.9, 0.98))
    path, name = checkpoint(count, control, work), f"victor {count}" + " control" * control
    step = 0
    if os.path.exists(path):
        state = torch.load(path)
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
        print(f"{name}: resuming at step {step}", flush=True)
    elif start:
        state = torch.load(checkpoint(start, control, work))
    else:
        state = None
    if state:
        model.load_state_dict(state["adapted"], strict=False)
        registers.data.copy_(state["registers"][:count])
    started, first, window = time.time(), step, []
    while step < steps:
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, steps)
        batch = Batch(FIRST_SEED + count * 1_000_000 + step * SCENES, SCENES, tokenizer, questions=QUESTIONS)
        if control:
            with torch.no_grad():
                visual = model.look(batch.pixels)
            loss, right = dense_loss(model, tokenizer, visual, batch)
        else:
            loss, right = answer_loss(model, registers, tokenizer, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(adapted + [registers], 1.0)
        optimizer.step()
        step += 1
        kinds = [[question.type for question in asked] for asked in batch.questions]
        window.append({"loss": float(loss), "right": right.float().mean().item(), **{
            kind: right[torch.tensor([[k == kind for k in row] for row in kinds])].float().mean().item() for kind in QUESTION_TYPES}})
        if step % 20 == 0:
            means = "  ".join(f"{key} {sum(w[key] for w in window) / len(window):.3f}" for key in window[0])
            pace = (time.time() - started) / (step - first)
            print(f"{name} {step}/{steps}  {means}  {pace:.2f} s/step, {pace * (steps - step) / 60:.0f} min left", flush=True)
            window = []
        if step % 50 == 0 or step == steps:
            state = model.state_dict()
            torch.save({"registers": registers.data, "adapted": {full: state[full] for full in names},
                        "optimizer": optimizer.state_dict(), "step": step}, path + ".new")
            os.replace(path + ".new", path)


def export(count, work):
    state = torch.load(checkpoint(count, False, work))
    write_safetensors(exported(count), {REGISTERS: state["registers"], **state["adapted"]}, **{"victor.k": str(EXIT)})
    print(f"step {state['step']} -> {exported(count)}, {os.path.getsize(exported(count))} bytes")


@torch.no_grad()
def say(model, registers, tokenizer, visual, question):
    """The greedy answer, as evaluate.answer gives it for the model without registers."""
    ids = tokenizer.encode(prompt(question), bos=True)
    at, said = ids.index(tokenizer.image), []
    while len(said) < LONGEST:
        before, after = (model.embed(torch.tensor([part])) for part in (ids[:at], ids[at + 1:] + said))
        rows = states(model, registers, before, visual, after, lambda context: attend_causally)
        said.append(int(model.language_model.lm_head(rows[0, -1]).argmax()))
        if said[-1] == EOS:
            break
    return tokenizer.decode(said).strip()


@torch.no_grad()
def evaluate(count, folder, work, control):
    model, tokenizer = read_folder(MODEL)
    if control:
        # Rounded as a file would be, so that both sides of the comparison are.
        state = torch.load(checkpoint(count, control, work))
        model.load_state_dict({name: tensor.half().float() for name, tensor in state["adapted"].items()}, strict=False)
        print(f"step {state['step']}")
    else:
        tensors = read_safetensors(exported(count))
        registers = tensors.pop(REGISTERS)
        model.load_state_dict(tensors, strict=False)
    with open(os.path.join(folder, "questions.jsonl"), encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    right, asked, seen = collections.Counter(), collections.Counter(), {}
    for line in lines:
        if line["image"] not in seen:
            seen[line["image"]] = look(model, os.path.join(folder, line["image"]))
        visual = seen[line["image"]]
        said = (answer(model, tokenizer, visual, line["question"]) if control
                else say(model, registers, tokenizer, visual, line["question"]))
        asked[line["type"]] += 1
        right[line["type"]] += said == line["answer"]
    print("| question | asked | right | accuracy |\n|---|---:|---:|---:|")
    for kind in asked:
        print(f"| {kind} | {asked[kind]} | {right[kind]} | {right[kind] / asked[kind]:.1%} |")
    print(f"| all | {sum(asked.values())} | {sum(right.values())} | {sum(right.values()) / sum(asked.values()):.1%} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("registers", type=int)
    parser.add_argument("--start", type=int, help="registers of the run whose weights to start from")
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--work", default="artifacts/training", help="folder of checkpoints")
    parser.add_argument("--control", action="store_true", help="train the same layers without registers and without an exit")
    parser.add_argument("--export", action="store_true")
    parser.add_argument("--evaluate", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.makedirs(options.work, exist_ok=True)
    if options.export and options.control:
        parser.error("the control is not exported: no variant loads it")
    if options.export:
        export(options.registers, options.work)
    elif options.evaluate:
        evaluate(options.registers, os.path.join(MODEL, "..", "..", "evaluation"), options.work, options.control)
    else:
        train(options.registers, options.start, options.steps, options.work, options.control)
