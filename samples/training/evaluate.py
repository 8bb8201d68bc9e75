"""Asks a model folder the held-out questions, one at a time, greedily, and counts exact answers.

    python3 evaluate.py samples/models/shapes samples/evaluation
    python3 evaluate.py samples/models/shapes --ask samples/images/circle.png "what color is the circle ?"
"""
import argparse
import collections
import json
import os

import torch
from PIL import Image

from folder import read_folder
from model import pixels_of
from tokenizer import EOS, prompt

LONGEST = 8


@torch.no_grad()
def look(model, path):
    return model.look(pixels_of([Image.open(path).convert("RGB")]))


@torch.no_grad()
def answer(model, tokenizer, visual, question):
    ids = tokenizer.encode(prompt(question), bos=True)
    at = ids.index(tokenizer.image)
    said = []
    while len(said) < LONGEST:
        before, after = (model.embed(torch.tensor([part])) for part in (ids[:at], ids[at + 1:] + said))
        logits = model.read(torch.cat([before, visual, after], 1))[0, -1]
        said.append(int(logits.argmax()))
        if said[-1] == EOS:
            break
    return tokenizer.decode(said).strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("evaluation", nargs="?")
    parser.add_argument("--ask", nargs=2, metavar=("IMAGE", "QUESTION"))
    parser.add_argument("--wrong", action="store_true", help="print the questions answered wrongly")
    options = parser.parse_args()
    model, tokenizer = read_folder(options.model)
    if options.ask:
        image, question = options.ask
        print(answer(model, tokenizer, look(model, image), question))
        return
    with open(os.path.join(options.evaluation, "questions.jsonl"), encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    right, asked, seen = collections.Counter(), collections.Counter(), {}
    for line in lines:
        if line["image"] not in seen:
            seen[line["image"]] = look(model, os.path.join(options.evaluation, line["image"]))
        said = answer(model, tokenizer, seen[line["image"]], line["question"])
        asked[line["type"]] += 1
        right[line["type"]] += said == line["answer"]
        if options.wrong and said != line["answer"]:
            print(line["image"], line["question"], "is", line["answer"], "said", said)
    print("| question | asked | right | accuracy |\n|---|---:|---:|---:|")
    for kind in asked:
        print(f"| {kind} | {asked[kind]} | {right[kind]} | {right[kind] / asked[kind]:.1%} |")
    total = sum(asked.values())
    print(f"| all | {total} | {sum(right.values())} | {sum(right.values()) / total:.1%} |")


if __name__ == "__main__":
    main()
