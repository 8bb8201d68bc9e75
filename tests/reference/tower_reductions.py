#!/usr/bin/python3
"""Reductions inside the vision tower, between attention and feed-forward layer, in plain PyTorch, and the goldens of their kernels.

    python3 tower_reductions.py            checks the definitions against golden vectors, then writes goldens/reductions/tower.json
    python3 tower_reductions.py --check    only checks

Definitions, with their sources and what the sources leave open: generator/docs/methods. A reducer is asked once a layer,
has the rows that are there in `tokens` (the patch that each stands for) and adds the distances of its choices from the
next best to `gaps`. Of equal scores the lower index counts, everywhere.
"""
import json
import pathlib
import sys

import torch
import torch.nn.functional as F

from reductions import SMALL, clustered, lcg

HERE = pathlib.Path(__file__).resolve().parent


def clear_of(scores, count, chosen_last):
    """How far the count-th highest score is above the next, in standard deviations of all."""
    order = torch.sort(scores, descending=True).values
    return float((order[count - 1] - order[count]) / scores.std()) if chosen_last and count < len(scores) else 1.0


class Reducer:
    def bias(self):
        return None

    def before(self, layer, x, run, layers):
        """Before a layer; `run(layer, rows)` runs one and returns its rows and its attention, `layers` are those that run."""
        return x

    def around(self, layer, x, run):
        """In place of a layer; None if it runs as it is."""
        return None

    def reduce(self, layer, x, logits, attention, keys):
        """Between the halves of a layer."""
        return x


class PruneAndMerge(Reducer):
    """Static matrices [rows, patches] by layer, perhaps with learned ones that recover, [patches, rows]."""

    def __init__(self, merge, recover):
        self.merge = {layer: matrix.double() for layer, matrix in merge.items()}
        self.recover = {layer: recover[layer].double() if layer in recover else torch.linalg.pinv(matrix) for layer, matrix in self.merge.items()}

    def begin(self, patches, side, cls):
        self.first, self.tokens, self.gaps = 1 if cls else 0, list(range(patches)), []

    def around(self, layer, x, run):
        if layer not in self.merge:
            return None
        cls, patches = x[:self.first], x[self.first:].double()
        y = run(layer, torch.cat([cls, (self.merge[layer] @ patches).float()]))
        bypass = (self.merge[layer] == 0).all(0)[:, None]
        return torch.cat([y[:self.first], (self.recover[layer] @ y[self.first:].double() + bypass * patches).float()])


class Elip(Reducer):
    """arXiv 2309.16738, without text. `ahead`: layers that run ahead, None for all up to the next place or the last layer."""

    def __init__(self, places, ratios, ahead=None):
        self.places, self.ratios, self.ahead = list(places), list(ratios), ahead

    def begin(self, patches, side, cls):
        assert cls
        self.patches, self.tokens, self.gaps = patches, list(range(patches)), []

    def before(self, layer, x, run, layers):
        if layer not in self.places:
            return x
        at = self.places.index(layer)
        end = self.places[at + 1] if at + 1 < len(self.places) else layers
        end = end if self.ahead is None else min(layer + self.ahead, layers)
        seen = x
        for i in range(layer, end):
            seen, attention = run(i, seen)
        return self.merge(x, attention.double().mean(0)[0, 1:], int(self.patches * self.ratios[at]))

    def merge(self, x, scores, count):
        order = sorted(range(len(scores)), key=lambda i: (-float(scores[i]), i))
        keep, rest = sorted(order[:count]), order[count:]
        self.gaps += [clear_of(scores, count, True), clear_of(scores, count + 1, True)]
        share = scores[rest] / scores[rest].sum()
        one = (share[:, None] * x[1:][rest].double()).sum(0, keepdim=True).to(x.dtype)
        self.tokens = [self.tokens[i] for i in keep + rest[:1]]
        return torch.cat([x[:1], x[1:][keep], one])


class FiCoCoV(Reducer):
    """arXiv 2411.17686. `mode` "paper" or "code", `redundancy` "raw", "columns" or "rows"."""

    def __init__(self, start, r, mode="paper", redundancy="raw", lam=None, epsilon=0.998, window=2, coefficient=2.0):
        self.start, self.r, self.mode, self.redundancy = start, r, mode, redundancy
        self.lam = lam if lam is not None else 0.65 if mode == "code" else 0.35
        self.epsilon, self.window, self.coefficient = epsilon, window, coefficient

    def begin(self, patches, side, cls):
        self.side, self.first = side, 1 if cls else 0
        self.tokens, self.gaps = list(range(patches)), []

    def redundancies(self, logits, attention, keys):
        first = self.first
        whole = logits if self.redundancy == "raw" else attention
        patches = whole[first:, first:]
        likeness = patches.mean(0 if self.redundancy == "columns" else 1)
        information = whole[0, 1:] if first else -F.cosine_similarity(keys, keys.mean(0, keepdim=True), dim=-1)
        if self.redundancy == "raw":
            likeness, information = F.normalize(likeness, dim=0), F.normalize(information, dim=0)
        score = self.lam * likeness - (1 - self.lam) * information
        windows = {}
        for i, patch in enumerate(self.tokens):
            windows.setdefault((patch // self.side // self.window, patch % self.side // self.window), []).append(i)
        score = score.tolist()
        for members in windows.values():
            worst = max(members, key=lambda i: (score[i], -i))
            others = [score[i] for i in members if i != worst]
            if others:
                self.gaps.append((score[worst] - max(others)) / float(torch.tensor(score).std()))
            score[worst] = score[worst] * self.coefficient if score[worst] > 0 else score[worst] / self.coefficient
        return score

    def reduce(self, layer, x, logits, attention, keys):
        if layer < self.start:
            return x
        # The formulas once more in doubles: what is compared must not hang on rounding.
        logits, attention, keys = logits.mean(0).double(), attention.mean(0).double(), keys.mean(0).double()
        score = self.redundancies(logits, attention, keys)
        order = sorted(range(len(score)), key=lambda i: (-score[i], i))
        leave, stay = sorted(order[:self.r]), sorted(order[self.r:])
        self.gaps.append(clear_of(torch.tensor(score), self.r, True))
        first = self.first
        correlation = torch.softmax(logits, -1) if self.redundancy == "raw" else attention
        taken, weight = x[first:].double().clone(), torch.ones(len(score), dtype=torch.float64)
        sources = x[first:].double()
        rows = {i: correlation[first + i, first:][stay] for i in leave}
        if self.mode == "code":
            count = max(int((correlation[first + i] > torch.quantile(correlation[first + i], self.epsilon)).sum()) for i in leave)
            count = min(max(count, 1), len(stay))
        for i in leave:
            if self.mode == "code":
                chosen = torch.sort(rows[i], descending=True, stable=True).indices[:count].tolist()
            else:
                chosen = (rows[i] >= torch.quantile(rows[i], self.epsilon)).nonzero()[:, 0].tolist()
            self.gaps.append(clear_of(rows[i].log(), len(chosen), True))
            share = rows[i][chosen] / rows[i][chosen].sum()
            for j, alpha in zip(chosen, share):
                taken[stay[j]] += alpha * sources[i]
                weight[stay[j]] += alpha
        self.tokens = [self.tokens[i] for i in stay]
        return torch.cat([x[:first], (taken / weight[:, None])[stay].to(x.dtype)])


class ToMe(Reducer):
    """arXiv 2210.09461. The schedule is a line from int(r (1 - inflection)) over the layers that run, with mean r."""

    def __init__(self, r, inflection=0.0, proportional=True, layers=None):
        self.r, self.inflection, self.proportional, self.layers = r, inflection, proportional, layers

    def begin(self, patches, side, cls):
        self.cls, self.tokens, self.gaps = cls, list(range(patches)), []
        self.size = torch.ones(patches + cls, 1)

    def bias(self):
        return self.size.log()[:, 0] if self.proportional else None

    def count(self, layer):
        low = int(self.r * (1 - self.inflection))
        step = 0 if self.layers == 1 else (2 * self.r - low - low) / (self.layers - 1)
        return min(int(low + step * layer), (len(self.size) - self.cls) // 2)

    def reduce(self, layer, x, logits, attention, keys):
        r = self.count(layer) if layer < self.layers else 0
        if r == 0:
            return x
        metric = F.normalize(keys.mean(0).double(), dim=-1)
        a, b = metric[::2], metric[1::2]
        scores = a @ b.T
        if self.cls:
            scores[0] = float("-inf")
        best = scores.max(-1)
        ranked = sorted(range(len(a)), key=lambda i: (-float(best.values[i]), i))
        src, unm = ranked[:r], ranked[r:]
        if self.cls:
            unm = sorted(unm)
        finite = best.values[1 if self.cls else 0:]
        self.gaps.append(clear_of(finite, r, r < len(finite)))
        if scores.shape[1] > 1:
            pair = scores[src].topk(2, dim=-1).values
            self.gaps.append(float((pair[:, 0] - pair[:, 1]).min() / scores[src].std()))
        if not self.cls and len(unm) > 1:
            rest = best.values[unm]
            self.gaps.append(float((rest[:-1] - rest[1:]).min() / finite.std()))

        def merge(values):
            even, odd = values[::2], values[1::2].clone()
            for i in src:
                odd[best.indices[i]] += even[i]
            return torch.cat([even[unm], odd])

        x = merge(x.double() * self.size)
        self.size = merge(self.size.double()).float()
        rows = [2 * i for i in unm] + list(range(1, len(keys[0]), 2))
        named = ([-1] if self.cls else []) + self.tokens
        self.tokens = [named[row] for row in rows if named[row] >= 0]
        return (x / self.size).float()


# ---- goldens ------------------------------------------------------------------------------------------------------


def check_small():
    """The golden vectors of the specification."""
    golden = json.loads(SMALL.read_text())
    x, raw = lcg(16, 8, 1), lcg(16, 16, 7)
    cls = torch.softmax(8 * lcg(1, 16, 3)[0], 0)
    for name, attention in (("ficoco_v_rawA_eps0.8_NS4", raw), ("ficoco_v_softmaxA_eps0.8_NS4", torch.softmax(6 * raw, -1))):
        expected = golden[name]
        method = FiCoCoV(0, 4, redundancy="rows", epsilon=0.8)
        method.begin(16, 4, cls=True)
        whole = torch.zeros(17, 17, dtype=torch.float64)
        whole[0, 1:], whole[1:, 1:] = cls, attention
        assert torch.allclose(torch.tensor(method.redundancies(None, whole, None)), torch.tensor(expected["s_pen"]), atol=1e-8)
        if "out0" in expected:
            out = method.reduce(0, torch.cat([x[:1], x]), whole[None], whole[None], lcg(17, 8, 2)[None])
            assert method.tokens == expected["T"]
            assert torch.allclose(out[1], torch.tensor(expected["out0"], dtype=torch.float64), atol=1e-8)
    expected = golden["tome_r5_cls"]
    method = ToMe(5, layers=1)
    method.begin(15, 4, cls=True)
    out = method.reduce(0, x, None, None, lcg(16, 8, 2)[None])
    assert method.size[:, 0].tolist() == expected["sizes"]
    assert torch.allclose(out[-1].double(), torch.tensor(expected["out_last"], dtype=torch.float64), atol=1e-6)
    assert [token + 1 for token in method.tokens] == [*expected["unmerged"][1:], *range(1, 16, 2)]


def write():
    """Larger inputs: 144 patches in a grid of 12, a map of two humps a row, keys around a few centres."""
    members = [("inputs", json.dumps({"rows": "clustered(145, 16, seed 51)", "logits": "4 * lcg(145, 145, seed 61), float32", "keys": "clustered(145, 32, seed 71)"}))]
    for cls in (True, False):
        rows = 145 if cls else 144
        logits = (4 * lcg(145, 145, 61)).float()[:rows, :rows]
        x, keys = clustered(145, 16, 51)[:rows], clustered(145, 32, 71)[:rows]
        suffix = "" if cls else "_without_cls"
        cases = {
            "paper": FiCoCoV(0, 40), "code": FiCoCoV(0, 40, mode="code", epsilon=0.99),
            "columns": FiCoCoV(0, 25, redundancy="columns", lam=0.5, epsilon=0.95, window=3, coefficient=1.5),
            "rows": FiCoCoV(0, 25, redundancy="rows", epsilon=0.9, window=5),
        }
        for name, method in cases.items():
            method.begin(144, 12, cls)
            out = method.reduce(0, x, logits[None], torch.softmax(logits, -1)[None], keys[None])
            assert min(method.gaps) > 1e-4, (name, min(method.gaps))
            members += [(f"ficoco_v_{name}{suffix}_kept", json.dumps(method.tokens)), (f"ficoco_v_{name}{suffix}", matrix(out[1 if cls else 0:]))]
        if cls:
            scores = torch.softmax(4 * lcg(1, 144, 81)[0], 0).float()
            method = Elip([], [])
            method.begin(144, 12, cls)
            out = method.merge(x, scores.double(), 57)
            assert min(method.gaps) > 1e-4, min(method.gaps)
            members += [("elip_scores", json.dumps(scores.tolist())), ("elip_kept", json.dumps(method.tokens)), ("elip", matrix(out[1:]))]
        method = ToMe(20, layers=3)
        method.begin(144, 12, cls)
        for layer in range(3):
            now = clustered(145, 32, 71 + 10 * layer)[:len(x)]
            x = method.reduce(layer, x, None, None, now[None])
        assert min(method.gaps) > 1e-5, min(method.gaps)
        members += [(f"tome{suffix}_kept", json.dumps(method.tokens)), (f"tome{suffix}_sizes", json.dumps(method.size[:, 0].tolist())), (f"tome{suffix}", matrix(x[1 if cls else 0:]))]
    path = HERE / "goldens" / "reductions" / "tower.json"
    path.write_text("{\n" + ",\n".join(f'"{key}": {value}' for key, value in members) + "\n}\n")


def matrix(rows):
    return "[\n" + ",\n".join("[" + ",".join(f"{float(v):.9g}" for v in row) + "]" for row in rows) + "\n]"


if __name__ == "__main__":
    check_small()
    if "--check" not in sys.argv:
        write()
    print("every definition holds")
