"""Scenes of coloured shapes, the questions one can ask about them, and what each patch of the image shows.

Everything is a function of one integer seed. Training uses seeds below HELD_OUT, the evaluation set seeds above.
"""
import math
import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

IMAGE_SIZE = 96
PATCH_SIZE = 8
GRID = IMAGE_SIZE // PATCH_SIZE      # 12 x 12 patches
CELLS = 3                            # objects sit in a coarse 3 x 3 grid, with jitter
CELL_SIZE = IMAGE_SIZE // CELLS
SUPERSAMPLING = 4
HELD_OUT = 1_000_000_000             # no training run reaches this seed

COLORS = {
    "red": (220, 40, 40),
    "green": (40, 170, 60),
    "blue": (45, 80, 220),
    "yellow": (240, 215, 40),
    "purple": (150, 50, 190),
    "orange": (245, 135, 30),
}
SHAPES = ["circle", "square", "triangle", "cross"]
COLOR_NAMES = list(COLORS)
PLURALS = {"circle": "circles", "square": "squares", "triangle": "triangles", "cross": "crosses"}
ROWS = ["top", "", "bottom"]
COLUMNS = ["left", "", "right"]
QUESTION_TYPES = ["color", "shape", "count", "exists", "where"]


def place_name(row, column):
    return " ".join(word for word in (ROWS[row], COLUMNS[column]) if word) or "center"


@dataclass(frozen=True)
class Thing:
    color: str
    shape: str
    row: int
    column: int
    x: float            # centre, in pixels
    y: float
    size: float         # extent, in pixels
    angle: float        # radians
    paint: tuple


@dataclass(frozen=True)
class Question:
    text: str
    answer: str
    type: str


class Scene:
    def __init__(self, seed, things=None):
        self.seed = seed
        self.rng = random.Random(seed)
        self.background = self._background()
        self.things = self._things() if things is None else [self._place(*t) for t in things]

    def _background(self):
        """Grey with a slight tint, as two opposite corners of a gradient."""
        grey = self.rng.randint(25, 225)
        tint = [grey + self.rng.randint(-8, 8) for _ in range(3)]
        slope = self.rng.randint(-18, 18)
        return np.array(tint, np.float32), slope, self.rng.random() * 2 * math.pi

    def _things(self):
        rng = self.rng
        count = rng.choices([1, 2, 3, 4], [15, 25, 30, 30])[0]
        cells = rng.sample([(r, c) for r in range(CELLS) for c in range(CELLS)], count)
        things = []
        for row, column in cells:
            shape, color = rng.choice(SHAPES), rng.choice(COLOR_NAMES)
            # Repeats make counting worth asking about.
            if things and rng.random() < 0.35:
                shape = rng.choice(things).shape
            if things and rng.random() < 0.35:
                color = rng.choice(things).color
            things.append(self._place(color, shape, row, column))
        return things

    def _place(self, color, shape, row, column):
        rng = self.rng
        size = rng.uniform(22, 30)
        slack = (CELL_SIZE - size) / 2 + 1
        x = (column + 0.5) * CELL_SIZE + rng.uniform(-slack, slack)
        y = (row + 0.5) * CELL_SIZE + rng.uniform(-slack, slack)
        paint = tuple(min(255, max(0, channel + rng.randint(-12, 12))) for channel in COLORS[color])
        return Thing(color, shape, row, column, x, y, size, math.radians(rng.uniform(-10, 10)), paint)

    # ---- drawing -------------------------------------------------------------------------------------------------

    def image(self):
        tint, slope, direction = self.background
        axis = np.linspace(-1, 1, IMAGE_SIZE, dtype=np.float32)
        ramp = (math.cos(direction) * axis[None, :] + math.sin(direction) * axis[:, None]) * slope
        backdrop = np.clip(tint[None, None, :] + ramp[:, :, None], 0, 255).astype(np.uint8)
        large = Image.fromarray(backdrop).resize((IMAGE_SIZE * SUPERSAMPLING,) * 2, Image.NEAREST)
        draw = ImageDraw.Draw(large)
        for thing in self.things:
            draw_thing(draw, thing, SUPERSAMPLING, thing.paint)
        return large.reduce(SUPERSAMPLING)

    def patches(self):
        """What each patch shows: color and shape index (0: background, -1: unclear) and how central it is in its thing.

        The centrality of a thing adds up to one over the patches around its centre, so that adding it counts things.
        """
        mask = Image.new("L", (IMAGE_SIZE, IMAGE_SIZE), 0)
        draw = ImageDraw.Draw(mask)
        for index, thing in enumerate(self.things):
            draw_thing(draw, thing, 1, index + 1)
        ids = np.asarray(mask).reshape(GRID, PATCH_SIZE, GRID, PATCH_SIZE)
        color = np.zeros((GRID, GRID), np.int64)
        shape = np.zeros((GRID, GRID), np.int64)
        center = np.zeros((GRID, GRID), np.float32)
        covered = (ids > 0).mean(axis=(1, 3))
        for index, thing in enumerate(self.things):
            own = (ids == index + 1).mean(axis=(1, 3))
            mine = (own > 0.25) & (own >= covered * 0.75)
            color[mine] = COLOR_NAMES.index(thing.color) + 1
            shape[mine] = SHAPES.index(thing.shape) + 1
            px, py = thing.x / PATCH_SIZE - 0.5, thing.y / PATCH_SIZE - 0.5
            rows, columns = np.arange(GRID)[:, None], np.arange(GRID)[None, :]
            center += np.maximum(0, 1 - abs(columns - px)) * np.maximum(0, 1 - abs(rows - py))
        unclear = (color == 0) & (covered > 0.05)
        color[unclear] = -1
        shape[unclear] = -1
        return color.reshape(-1), shape.reshape(-1), center.reshape(-1)

    # ---- questions -----------------------------------------------------------------------------------------------

    def question(self, kind):
        """One question of this kind, or None where the scene has no unambiguous one."""
        return getattr(self, "_ask_" + kind)()

    def _ask_color(self):
        choices = [t for t in self.things if sum(o.shape == t.shape for o in self.things) == 1]
        if not choices:
            return None
        thing = self.rng.choice(choices)
        return Question(f"what color is the {thing.shape} ?", thing.color, "color")

    def _ask_shape(self):
        choices = [t for t in self.things if sum(o.color == t.color for o in self.things) == 1]
        if not choices:
            return None
        thing = self.rng.choice(choices)
        return Question(f"what shape is {thing.color} ?", thing.shape, "shape")

    def _ask_count(self):
        counts = {PLURALS[s]: sum(t.shape == s for t in self.things) for s in SHAPES}
        counts.update({c + " shapes": sum(t.color == c for t in self.things) for c in COLOR_NAMES})
        # Values first, so that "1" does not win by being common.
        value = self.rng.choice(sorted(set(counts.values())))
        noun = self.rng.choice([n for n, v in counts.items() if v == value])
        return Question(f"how many {noun} are there ?", str(value), "count")

    def _ask_exists(self):
        present = {(t.color, t.shape) for t in self.things}
        if self.rng.random() < 0.5:
            color, shape = self.rng.choice(sorted(present))
        else:
            colors = sorted({c for c, _ in present})
            shapes = sorted({s for _, s in present})
            near = [(c, s) for c in colors for s in shapes if (c, s) not in present]
            half = [(c, s) for c in COLOR_NAMES for s in SHAPES
                    if (c, s) not in present and (c in colors) != (s in shapes)]
            color, shape = self.rng.choice(near if near and self.rng.random() < 0.6 else half)
        article = "an" if color[0] in "aeiou" else "a"
        return Question(f"is there {article} {color} {shape} ?", "yes" if (color, shape) in present else "no", "exists")

    def _ask_where(self):
        choices = [t for t in self.things if sum((o.color, o.shape) == (t.color, t.shape) for o in self.things) == 1]
        if not choices:
            return None
        thing = self.rng.choice(choices)
        return Question(f"where is the {thing.color} {thing.shape} ?", place_name(thing.row, thing.column), "where")

    def questions(self, count):
        """This many questions, kinds in turn from a random start; kinds that the scene cannot answer are passed over."""
        kinds = QUESTION_TYPES[:]
        self.rng.shuffle(kinds)
        asked = []
        while len(asked) < count:
            for kind in kinds:
                question = self.question(kind)
                if question is not None and len(asked) < count:
                    asked.append(question)
        return asked


def draw_thing(draw, thing, scale, paint):
    half = thing.size / 2

    def at(points):
        cos, sin = math.cos(thing.angle), math.sin(thing.angle)
        return [((thing.x + x * cos - y * sin) * scale, (thing.y + x * sin + y * cos) * scale) for x, y in points]

    if thing.shape == "circle":
        draw.ellipse([(thing.x - half) * scale, (thing.y - half) * scale,
                      (thing.x + half) * scale, (thing.y + half) * scale], fill=paint)
    elif thing.shape == "square":
        side = half * 0.9
        draw.polygon(at([(-side, -side), (side, -side), (side, side), (-side, side)]), fill=paint)
    elif thing.shape == "triangle":
        draw.polygon(at([(0, -half), (half, half * 0.85), (-half, half * 0.85)]), fill=paint)
    elif thing.shape == "cross":
        arm = half * 0.34
        draw.polygon(at([(-arm, -half), (arm, -half), (arm, half), (-arm, half)]), fill=paint)
        draw.polygon(at([(-half, -arm), (half, -arm), (half, arm), (-half, arm)]), fill=paint)
    else:
        raise ValueError(thing.shape)


def language():
    """Every question and answer that scenes can give rise to: the tokenizer learns its merges from these."""
    yield "USER: "
    yield " ASSISTANT:"
    for shape in SHAPES:
        yield f"what color is the {shape} ?"
        yield f"how many {PLURALS[shape]} are there ?"
        for color in COLOR_NAMES:
            yield f"is there {'an' if color[0] in 'aeiou' else 'a'} {color} {shape} ?"
            yield f"where is the {color} {shape} ?"
    for color in COLOR_NAMES:
        yield f"what shape is {color} ?"
        yield f"how many {color} shapes are there ?"
    for answer in COLOR_NAMES + SHAPES + ["yes", "no"] + [str(n) for n in range(5)]:
        yield " " + answer
    for row in range(CELLS):
        for column in range(CELLS):
            yield " " + place_name(row, column)
