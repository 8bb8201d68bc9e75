"""Draws the images that live in the repository: a few to ask about, and the held-out set.

    python3 draw.py samples
"""
import collections
import json
import os
import sys

from scenes import HELD_OUT, QUESTION_TYPES, Scene

IMAGES = 125
EACH_TYPE = 104             # 520 questions in all

# name: (color, shape, row, column) of each thing
PICTURES = {
    "circle": [("red", "circle", 1, 1)],
    "pair": [("blue", "triangle", 0, 0), ("yellow", "square", 2, 2)],
    "squares": [("green", "square", 0, 1), ("purple", "square", 1, 0), ("orange", "square", 2, 2)],
    "corners": [("red", "cross", 0, 0), ("green", "circle", 0, 2), ("blue", "square", 2, 0),
                ("yellow", "triangle", 2, 2)],
    "crosses": [("orange", "cross", 0, 2), ("orange", "cross", 2, 1), ("purple", "circle", 1, 1)],
}


def save(image, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    image.save(path, optimize=True)


def held_out():
    """Images with four or five questions each, the same number of every type, no question twice for an image."""
    scenes = [Scene(HELD_OUT + i) for i in range(IMAGES)]
    asked = [[] for _ in scenes]
    left = collections.Counter({kind: EACH_TYPE for kind in QUESTION_TYPES})
    while sum(left.values()):
        for scene, questions in zip(scenes, asked):
            # The type with the most left goes first, so that the types run out together.
            for kind in sorted(QUESTION_TYPES, key=lambda k: (-left[k], QUESTION_TYPES.index(k))):
                question = scene.question(kind) if left[kind] else None
                if question is not None and question not in questions:
                    questions.append(question)
                    left[kind] -= 1
                    break
    return scenes, asked


def main(root):
    for i, (name, things) in enumerate(PICTURES.items()):
        save(Scene(2 * HELD_OUT + i, things).image(), os.path.join(root, "images", name + ".png"))
    scenes, asked = held_out()
    lines = []
    for i, (scene, questions) in enumerate(zip(scenes, asked), 1):
        name = f"images/{i:04d}.png"
        save(scene.image(), os.path.join(root, "evaluation", name))
        lines += [{"image": name, "question": q.text, "answer": q.answer, "type": q.type} for q in questions]
    with open(os.path.join(root, "evaluation", "questions.jsonl"), "w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line) + "\n")
    print(f"{len(lines)} questions about {len(scenes)} images")


if __name__ == "__main__":
    main(sys.argv[1])
