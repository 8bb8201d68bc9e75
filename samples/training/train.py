"""Trains the sample model in four stages; see README.md. Each stage resumes from its last checkpoint.

    python3 train.py tower        the vision tower alone, from what each patch shows
    python3 train.py decoder      the decoder alone, on "soft tokens": patches described by word embeddings
    python3 train.py projector    the projector, by regression from the tower's features to the soft tokens
    python3 train.py joint        everything together, on nothing but questions and answers (and a little of the first)

The first two stages do not depend on each other and can run at the same time.
"""
import argparse
import math
import os
import time
from multiprocessing.pool import ThreadPool

import torch
import torch.nn.functional as F
from torch import nn

from model import AttendInBlocks, Llava, VISUAL_TOKENS, pixels_of
from scenes import (CELL_SIZE, CELLS, COLOR_NAMES, GRID, PATCH_SIZE, QUESTION_TYPES, SHAPES, Scene, language,
                    place_name)
from tokenizer import EOS, Tokenizer, prompt

STAGES = {
    #            first seed    steps  scenes  learning rate
    "tower":     (100_000_000, 1000, 32, 1e-3),
    "decoder":   (200_000_000, 800, 24, 1e-3),
    "projector": (300_000_000, 400, 24, 2e-3),
    "joint":     (400_000_000, 1600, 16, 3e-4),
}
VALIDATION = 900_000_000
QUESTIONS = 12              # a scene
FEW = 24                    # visual tokens in the decoder's stage, at their true positions
WARM_UP = 60
VOCABULARY = 384            # the tokenizer's size, rounded up


class PatchReader(nn.Module):
    """What the tower's own training asks of its features: thrown away afterwards."""

    def __init__(self, width):
        super().__init__()
        self.color = nn.Linear(width, len(COLOR_NAMES) + 1)
        self.shape = nn.Linear(width, len(SHAPES) + 1)
        self.place = nn.Linear(width, 2 * CELLS)
        self.center = nn.Linear(width, 1)
        self.present = nn.Linear(width, len(COLOR_NAMES) * len(SHAPES))
        self.present_pooled = nn.Linear(width, len(COLOR_NAMES) * len(SHAPES))


class SoftTokens(nn.Module):
    """A patch as the sum of the word embeddings that describe it, plus two vectors that have no word."""

    def __init__(self, tokenizer, width):
        super().__init__()
        self.nothing = nn.Parameter(torch.randn(width) * 0.5)
        self.center = nn.Parameter(torch.randn(width))
        word = lambda w: tokenizer.encode(" " + w)
        self.colors = torch.tensor([word(c)[0] for c in COLOR_NAMES])
        self.shapes = torch.tensor([word(s)[0] for s in SHAPES])
        # For each patch the words of its cell, as weights over the vocabulary.
        self.places = torch.zeros(VISUAL_TOKENS, VOCABULARY)
        for patch in range(VISUAL_TOKENS):
            row, column = (i * PATCH_SIZE // CELL_SIZE for i in divmod(patch, GRID))
            for token in word(place_name(row, column)):
                self.places[patch, token] = 1

    def forward(self, embed, color, shape, center):
        table = embed.weight
        colors = torch.cat([self.nothing[None], table[self.colors]])
        shapes = torch.cat([torch.zeros_like(self.nothing)[None], table[self.shapes]])
        tokens = colors[color.clamp(min=0)] + shapes[shape.clamp(min=0)]
        tokens = tokens + (color > 0).float()[..., None] * (self.places @ table)
        return tokens + center[..., None] * self.center


class Batch:
    def __init__(self, seed, count, tokenizer, images=True, questions=0):
        self.scenes = [Scene(seed + i) for i in range(count)]
        colors, shapes, centers = zip(*(s.patches() for s in self.scenes))
        self.color, self.shape, self.center = (torch.stack([torch.from_numpy(a) for a in part])
                                               for part in (colors, shapes, centers))
        if images:
            self.pixels = pixels_of([s.image() for s in self.scenes])
        if questions:
            self.questions = [s.questions(questions) for s in self.scenes]
            self.rows, self.targets = blocks_of(self.questions, tokenizer)


def blocks_of(questions, tokenizer):
    """Rows of ids after the image for each question, and what each row should say next (-100: no matter)."""
    rows, targets = [], []
    for question in (q for scene in questions for q in scene):
        suffix = tokenizer.encode(prompt(question.text).split("<image>")[1])
        answer = tokenizer.encode(" " + question.answer)
        rows.append(suffix + answer)
        targets.append([-100] * (len(suffix) - 1) + answer + [EOS])
    width = max(map(len, rows))
    rows = torch.tensor([r + [tokenizer.pad] * (width - len(r)) for r in rows])
    targets = torch.tensor([t + [-100] * (width - len(t)) for t in targets])
    return rows.view(len(questions), -1, width), targets.view(len(questions), -1, width)


def answer_loss(model, tokenizer, visual, batch, kept=None):
    """Cross-entropy over answer tokens, and which questions would be answered exactly by greedy decoding."""
    count, asked, width = batch.rows.shape
    prefix = model.embed(torch.tensor(tokenizer.encode(prompt("").split("<image>")[0], bos=True)))
    blocks = model.embed(batch.rows.flatten(1))
    embedded = torch.cat([prefix.expand(count, -1, -1), visual, blocks], 1)
    context = len(prefix) + visual.shape[1]
    attend = AttendInBlocks(context, asked, width)
    block_positions = len(prefix) + VISUAL_TOKENS + attend.positions
    if kept is None:
        positions = torch.cat([torch.arange(context), block_positions])
    else:
        positions = torch.cat([torch.arange(len(prefix)).expand(count, -1), len(prefix) + kept,
                               block_positions.expand(count, -1)], 1)
    states = model.language_model.model(embedded, positions, attend)[:, context:]
    matters = batch.targets.flatten(1) != -100
    logits = model.language_model.lm_head(states[matters])
    expected = batch.targets.flatten(1)[matters]
    loss = F.cross_entropy(logits, expected)
    wrong = torch.zeros(matters.shape)
    wrong[matters] = (logits.argmax(-1) != expected).float()
    return loss, wrong.view(count, asked, width).sum(-1) == 0


def patch_loss(reader, features, pooled, batch):
    patches = features[:, 1:]
    color = F.cross_entropy(reader.color(patches).flatten(0, 1), batch.color.flatten(), ignore_index=-1)
    shape_logits = reader.shape(patches)
    shape = F.cross_entropy(shape_logits.flatten(0, 1), batch.shape.flatten(), ignore_index=-1)
    center = F.binary_cross_entropy_with_logits(reader.center(patches)[..., 0], batch.center.clamp(0, 1))
    place = reader.place(patches)
    cells = torch.arange(GRID) * PATCH_SIZE // CELL_SIZE
    row, column = cells.repeat_interleave(GRID), cells.repeat(GRID)
    where = sum(F.cross_entropy(logits.flatten(0, 1), target.repeat(len(patches)))
                for logits, target in ((place[..., :CELLS], row), (place[..., CELLS:], column)))
    present = torch.zeros(len(patches), len(COLOR_NAMES) * len(SHAPES))
    for i, scene in enumerate(batch.scenes):
        for t in scene.things:
            present[i, COLOR_NAMES.index(t.color) * len(SHAPES) + SHAPES.index(t.shape)] = 1
    seen = (F.binary_cross_entropy_with_logits(reader.present(features[:, 0]), present)
            + F.binary_cross_entropy_with_logits(reader.present_pooled(pooled), present))
    things = batch.shape > 0
    report = {"color": color, "shape": shape, "center": center, "seen": seen,
              "shape_right": (shape_logits.argmax(-1) == batch.shape)[things].float().mean()}
    return color + 2 * shape + 4 * center + 0.2 * where + seen, report


def few_patches(batch, seed):
    """For each image the patches around the centres, and others at random up to FEW, in order."""
    generator = torch.Generator().manual_seed(seed)
    rank = torch.rand(batch.center.shape, generator=generator) + (batch.center > 0.02).float() + 0.3 * (batch.color > 0)
    return rank.topk(FEW, dim=1).indices.sort(1).values


class Run:
    def __init__(self, stage, work, steps, threads):
        self.stage, self.work = stage, work
        self.first_seed, self.steps, self.scenes, self.rate = STAGES[stage]
        self.steps = steps or self.steps
        self.tokenizer = Tokenizer.learn(list(language()))
        torch.manual_seed(0)
        self.model = Llava(VOCABULARY)
        self.reader = PatchReader(self.model.vision_config["hidden_size"])
        self.soft = SoftTokens(self.tokenizer, self.model.text_config["hidden_size"])
        self.parts = nn.ModuleDict({"model": self.model, "reader": self.reader, "soft": self.soft})
        if stage in ("projector", "joint"):
            self.gather()
        self.trained = {
            "tower": [self.model.vision_tower, self.reader],
            "decoder": [self.model.language_model, self.soft],
            "projector": [self.model.multi_modal_projector],
            "joint": [self.model, self.reader],
        }[stage]
        parameters = [p for module in self.trained for p in module.parameters()]
        decayed = [p for p in parameters if p.dim() > 1]
        plain = [p for p in parameters if p.dim() <= 1]
        self.optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.02},
                                            {"params": plain, "weight_decay": 0.0}], lr=self.rate, betas=(0.9, 0.98))
        self.parameters = parameters
        self.threads = ThreadPool(threads)
        self.step = 0
        if os.path.exists(self.path(stage)):
            state = torch.load(self.path(stage))
            self.parts.load_state_dict(state["parts"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step = state["step"]
            print(f"{stage}: resuming at step {self.step}", flush=True)

    def path(self, stage):
        return os.path.join(self.work, stage + ".pt")

    def gather(self):
        """The results of the stages before this one."""
        tower, decoder = (torch.load(self.path(s))["parts"] for s in ("tower", "decoder"))
        merged = dict(decoder)
        merged.update({k: v for k, v in tower.items() if k.startswith(("model.vision_tower.", "reader."))})
        if self.stage == "joint":
            projector = torch.load(self.path("projector"))["parts"]
            merged.update({k: v for k, v in projector.items() if k.startswith("model.multi_modal_projector.")})
        self.parts.load_state_dict(merged)

    def save(self):
        state = {"parts": self.parts.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step}
        torch.save(state, self.path(self.stage) + ".new")
        os.replace(self.path(self.stage) + ".new", self.path(self.stage))

    def rate_at(self, step):
        if step < WARM_UP:
            return self.rate * (step + 1) / WARM_UP
        progress = min(1.0, (step - WARM_UP) / max(1, self.steps - WARM_UP))
        return self.rate * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * progress)))

    def gradients(self, seed, count):
        loss, report = self.loss(seed, count)
        return ({k: v.detach() for k, v in report.items()},
                torch.autograd.grad(loss, self.parameters, allow_unused=True))

    def loss(self, seed, count):
        vision = self.model.vision_tower.vision_model
        if self.stage == "tower":
            batch = Batch(seed, count, self.tokenizer)
            features = vision(batch.pixels)
            return patch_loss(self.reader, features, vision.pooled(features), batch)
        if self.stage == "decoder":
            batch = Batch(seed, count, self.tokenizer, images=False, questions=QUESTIONS)
            visual = self.soft(self.model.language_model.model.embed_tokens, batch.color, batch.shape, batch.center)
            kept = few_patches(batch, seed)
            visual = visual.gather(1, kept[..., None].expand(-1, -1, visual.shape[-1]))
            loss, right = answer_loss(self.model, self.tokenizer, visual, batch, kept)
            return loss, self.report(loss, right, batch)
        if self.stage == "projector":
            batch = Batch(seed, count, self.tokenizer)
            with torch.no_grad():
                features = vision(batch.pixels)[:, 1:]
                target = self.soft(self.model.language_model.model.embed_tokens, batch.color, batch.shape, batch.center)
            clear = batch.color >= 0
            error = (self.model.multi_modal_projector(features) - target).pow(2).mean(-1)
            # As many things as background, or the background would be all that is learned.
            loss = error[batch.color > 0].mean() + error[batch.color == 0].mean()
            return loss, {"loss": loss}
        batch = Batch(seed, count, self.tokenizer, questions=QUESTIONS)
        features = vision(batch.pixels)
        visual = self.model.multi_modal_projector(features[:, 1:])
        loss, right = answer_loss(self.model, self.tokenizer, visual, batch)
        dense, _ = patch_loss(self.reader, features, vision.pooled(features), batch)
        return loss + 0.1 * dense, {**self.report(loss, right, batch), "dense": dense}

    @staticmethod
    def report(loss, right, batch):
        kinds = [[q.type for q in asked] for asked in batch.questions]
        found = {"loss": loss, "right": right.float().mean()}
        for kind in QUESTION_TYPES:
            mask = torch.tensor([[k == kind for k in row] for row in kinds])
            found[kind] = right[mask].float().mean()
        return found

    def train(self):
        started, window, first = time.time(), [], self.step
        for module in self.trained:
            module.train()
        while self.step < self.steps:
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate_at(self.step)
            # Two threads, each with half of the scenes: cheaper than two threads inside every small operation.
            half = self.scenes // 2
            seeds = [self.first_seed + self.step * self.scenes + i * half for i in range(2)]
            reports, gradients = zip(*self.threads.map(lambda seed: self.gradients(seed, half), seeds))
            for parameter, *parts in zip(self.parameters, *gradients):
                parameter.grad = None if parts[0] is None else (parts[0] + parts[1]) / 2
            nn.utils.clip_grad_norm_(self.parameters, 1.0)
            self.optimizer.step()
            self.step += 1
            window.extend({k: float(v) for k, v in report.items()} for report in reports)
            if self.step % 20 == 0:
                means = {k: sum(w[k] for w in window) / len(window) for k in window[0]}
                window = []
                pace = (time.time() - started) / (self.step - first)
                left = pace * (self.steps - self.step) / 60
                print(f"{self.stage} {self.step}/{self.steps}  " + "  ".join(f"{k} {v:.3f}" for k, v in means.items())
                      + f"  {pace:.2f} s/step, {left:.0f} min left", flush=True)
            if self.step % 100 == 0 or self.step == self.steps:
                self.save()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=list(STAGES))
    parser.add_argument("--work", default="artifacts/training", help="folder of checkpoints")
    parser.add_argument("--steps", type=int, help="instead of the stage's own number")
    parser.add_argument("--threads", type=int, default=2, choices=[1, 2])
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.makedirs(options.work, exist_ok=True)
    Run(options.stage, options.work, options.steps, options.threads).train()
