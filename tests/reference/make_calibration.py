#!/usr/bin/python3
"""Writes goldens/calibration/shapes.json: what calibration measures on the sample model.

Layer contribution (ShortV, arXiv 2504.00502, section 2) of visual and of text tokens, and the divergence of VTW's
withdrawal before each layer, each over a few questions: KL(reduced || dense) of the first token, in nats, as the
published code of both takes it, and KL(dense || reduced), as ShortV's paper writes it. And for each layer but the last,
head and sample, YOPO's ratio (arXiv 2410.06169): what all text rows behind the image pay to visual rows, over what they
pay to text. All rows are computed over the whole sequence and then put back, which shares nothing with how the runtime
does it.
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image as Picture

from llava import Image, Llava, Policy, decoder_layer, row_positions
from make_goldens import HERE, ROOT, SHAPES, SHAPES_IMAGES, around_image, numbers, preprocess, write
from tokenization import Tokenizer

SAMPLES = [
    ("circle.png", "what color is the circle ?"), ("pair.png", "how many squares are there ?"),
    ("corners.png", "what shape is red ?"), ("squares.png", "is there a blue triangle ?"),
]


def holding_text(model, prefix, visual, suffix, held):
    """Logits of the last row if text rows pass layer `held` unchanged."""
    with torch.no_grad():
        image = Image.whole(visual)
        x = torch.cat([model.embed(prefix), image.rows, model.embed(suffix)])
        positions = row_positions(prefix, image, len(suffix))
        is_visual = (torch.arange(len(x)) >= len(prefix)) & (torch.arange(len(x)) < len(prefix) + len(image.rows))
        for i in range(model.layers):
            after, _, _ = decoder_layer(model.config.text, model.weights, i, x, positions)
            x = torch.where(is_visual[:, None], after, x) if i == held else after
        return model.head(x[-1])


def head_ratios(model, prefix, visual, suffix):
    """[layers - 1, heads] of the dense model."""
    with torch.no_grad():
        image = Image.whole(visual)
        x = torch.cat([model.embed(prefix), image.rows, model.embed(suffix)])
        positions = row_positions(prefix, image, len(suffix))
        behind = len(prefix) + len(image.rows)
        ratios = []
        for i in range(model.layers):
            x, _, attention = decoder_layer(model.config.text, model.weights, i, x, positions)
            paid = attention[:, behind:].double().sum(1)
            seen = paid[:, len(prefix):behind].sum(1)
            ratios.append(seen / (paid[:, :len(prefix)].sum(1) + paid[:, behind:].sum(1)))
        return torch.stack(ratios[:-1])


def divergences(dense, reduced):
    p, q = F.log_softmax(reduced.double(), -1), F.log_softmax(dense.double(), -1)
    return torch.stack([(p.exp() * (p - q)).sum(), (q.exp() * (q - p)).sum()])


def main():
    model, tokenizer = Llava(SHAPES), Tokenizer(SHAPES)
    visual, text, vtw, ratios = [], [], [], []
    for file, question in SAMPLES:
        image = np.asarray(Picture.open(SHAPES_IMAGES / file).convert("RGB"))
        _, rows = model.encode_image(preprocess(SHAPES, image))
        prefix, suffix = around_image(model, tokenizer, f"USER: <image>\n{question} ASSISTANT:")
        dense = model.prefill(prefix, rows, suffix).logits
        visual.append(torch.stack([divergences(dense, model.prefill(prefix, rows, suffix, Policy(shortv=(i,))).logits) for i in range(model.layers)]))
        text.append(torch.stack([divergences(dense, holding_text(model, prefix, rows, suffix, i)) for i in range(model.layers)]))
        vtw.append(torch.stack([divergences(dense, model.prefill(prefix, rows, suffix, Policy(vtw=k)).logits) for k in range(1, model.layers)]))
        ratios.append(head_ratios(model, prefix, rows, suffix))
    members = [("samples", json.dumps([{"image": f, "question": q} for f, q in SAMPLES]))]
    for name, values in (("visual", visual), ("text", text), ("vtw", vtw)):
        mean = torch.stack(values).mean(0)
        members += [(name, numbers(mean[:, 0])), (name + "_from_dense", numbers(mean[:, 1]))]
    members.append(("head_ratios", numbers(torch.stack(ratios, -1).flatten())))
    write(HERE / "goldens" / "calibration" / "shapes.json", members)
    print(json.dumps({name: value for name, value in members[1:]}, indent=1))


if __name__ == "__main__":
    main()
