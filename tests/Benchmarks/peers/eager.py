#!/usr/bin/python3
"""PyTorch eager, as the papers' code runs: python3 eager.py <model folder> <threads> dense|drop-and-exit <visual tokens>

drop-and-exit is FastV (K = 2, R = 0.5) by indexing, with whole attention maps in the layer that ranks, and VTW at half
depth. Commands and answers are those of protocol.mjs.
"""
import json
import math
import pathlib
import sys
import time

import torch
import torch.nn.functional as F

from write_gguf import names, weight_of


class Decoder:
    def __init__(self, folder, reduced, visual):
        config = json.loads((pathlib.Path(folder) / "config.json").read_text())["text_config"]
        weight = weight_of(pathlib.Path(folder))
        self.weights = {ours: torch.from_numpy(weight(theirs).copy()) for ours, theirs, _ in names(config["num_hidden_layers"])}
        self.layers, self.heads, self.kv_heads = config["num_hidden_layers"], config["num_attention_heads"], config["num_key_value_heads"]
        self.dim, self.eps, self.theta = config["hidden_size"] // self.heads, config["rms_norm_eps"], config["rope_theta"]
        self.reduced, self.visual = reduced, visual

    def norm(self, x, name):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weights[name]

    def rotate(self, x, positions):
        half = self.dim // 2
        angles = positions[:, None] / self.theta ** (torch.arange(half) / half)
        cos, sin = angles.cos(), angles.sin()
        return torch.cat([x[..., :half] * cos - x[..., half:] * sin, x[..., half:] * cos + x[..., :half] * sin], -1)

    def layer(self, i, x, positions):
        w = self.weights
        n = self.norm(x, f"blk.{i}.attn_norm.weight")
        q, k, v = (F.linear(n, w[f"blk.{i}.attn_{p}.weight"], w[f"blk.{i}.attn_{p}.bias"]).view(len(x), -1, self.dim).transpose(0, 1) for p in "qkv")
        q, k = self.rotate(q, positions), self.rotate(k, positions)
        if self.cache[i] is not None:
            k, v = torch.cat([self.cache[i][0], k], 1), torch.cat([self.cache[i][1], v], 1)
        self.cache[i] = (k, v)
        k, v = (t.repeat_interleave(self.heads // self.kv_heads, 0) for t in (k, v))
        scores = q @ k.transpose(1, 2) / math.sqrt(self.dim)
        if len(x) > 1:
            scores = scores + torch.full(scores.shape[1:], float("-inf")).triu(1 + scores.shape[2] - scores.shape[1])
        attention = scores.softmax(-1)
        x = x + F.linear((attention @ v).transpose(0, 1).reshape(len(x), -1), w[f"blk.{i}.attn_output.weight"])
        n = self.norm(x, f"blk.{i}.ffn_norm.weight")
        gated = F.silu(F.linear(n, w[f"blk.{i}.ffn_gate.weight"])) * F.linear(n, w[f"blk.{i}.ffn_up.weight"])
        return x + F.linear(gated, w[f"blk.{i}.ffn_down.weight"]), attention

    @torch.no_grad()
    def run(self, tokens):
        x = self.weights["token_embd.weight"][torch.tensor(tokens)]
        positions = torch.arange(self.length, self.length + len(tokens), dtype=torch.float32)
        self.length += len(tokens)
        visual, prefill = self.visual, len(tokens) > 1
        for i in range(self.layers):
            if self.reduced and prefill and i == self.layers // 2:
                x, positions, visual = x[visual:], positions[visual:], 0
            x, attention = self.layer(i, x, positions)
            if self.reduced and prefill and i == 1:
                kept = attention.mean(0)[-1, :visual].topk(visual // 2).indices.sort().values
                rows = torch.cat([kept, torch.arange(visual, len(x))])
                x, positions, visual = x[rows], positions[rows], visual // 2
        return int(F.linear(self.norm(x[-1:], "output_norm.weight"), self.weights["output.weight"]).argmax())

    def prefill(self, tokens):
        self.cache, self.length = [None] * self.layers, 0
        return self.run(tokens)


def main(folder, threads, plan, visual):
    torch.set_num_threads(int(threads))
    decoder = Decoder(folder, plan == "drop-and-exit", int(visual))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        wall, cpu, runs = time.perf_counter(), time.process_time(), 1
        token = decoder.prefill(command["tokens"])
        if command["do"] == "decode":
            token, runs = decoder.run([token]), command["steps"]
            wall, cpu = time.perf_counter(), time.process_time()
            for _ in range(runs):
                token = decoder.run([token])
        print(json.dumps({"ms": (time.perf_counter() - wall) * 1000 / runs, "cpu": (time.process_time() - cpu) * 1000 / runs, "token": token}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
