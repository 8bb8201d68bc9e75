#!/usr/bin/python3
"""Draws the 50 test pictures of images/ and writes what PIL makes of them to goldens/resize/.

    python3 golden_images.py            draw the pictures and write the goldens
    python3 golden_images.py --check    recompute the goldens from the pictures on disk and compare, writing nothing

The pipelines are those of the Hugging Face "slow" image processors, which resize with PIL on uint8:

    clip     CLIPImageProcessor: shortest edge to `resize`, the other edge int(resize * long / short), bicubic; then
             centre crop `size` x `size`, top = (h - size) // 2, left = (w - size) // 2.
    siglip   SiglipImageProcessor: both edges to `size`, aspect ratio not kept, bicubic, no crop.
    pad      LLaVA's image_aspect_ratio "pad": centred on a square of the longer edge filled with (122, 116, 104),
             offset (long - short) // 2; then as clip.

PIL's bicubic has a = -0.5 and widens its support when it shrinks (antialias); it works in two passes, horizontal first,
and rounds to uint8 after each.
"""
import gzip
import hashlib
import json
import math
import pathlib
import sys

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
IMAGES = HERE / "images"
GOLDENS = HERE / "goldens" / "resize"

# width, height; small and large, landscape and portrait, odd and even, equal to a target, one pixel off it.
SIZES = [
    (20, 20), (21, 33), (48, 48), (47, 49), (64, 64), (65, 63), (300, 300), (299, 20), (20, 299), (100, 75),
    (75, 100), (128, 96), (96, 128), (160, 120), (119, 161), (200, 133), (133, 200), (256, 144), (145, 255), (240, 240),
    (48, 64), (64, 48), (96, 96), (97, 97), (31, 29), (53, 211), (211, 53), (180, 90), (90, 180), (223, 224),
    (300, 200), (200, 300), (36, 144), (144, 36), (111, 113), (62, 62), (50, 50), (25, 40), (70, 41), (283, 157),
    (157, 283), (49, 48), (63, 64), (23, 97), (97, 23), (150, 150), (267, 199), (44, 44), (129, 257), (294, 58),
]
KINDS = ["gradient", "shapes", "stripes", "checker", "radial", "steps", "noise", "lines", "text", "waves"]


def draw(index, width, height):
    """One picture as uint8 [height, width, 3], the same on every run."""
    random = np.random.RandomState(1000 + index)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    u, v = x / max(width - 1, 1), y / max(height - 1, 1)
    a, b = random.randint(0, 256, 3).astype(np.float64), random.randint(0, 256, 3).astype(np.float64)
    kind = KINDS[index % len(KINDS)]

    def mix(t):
        return a + (b - a) * t[..., None]

    if kind == "gradient":
        picture = np.stack([255 * u, 255 * v, 255 * (1 - u)], -1)
    elif kind == "shapes":
        picture = np.zeros((height, width, 3)) + a
        for _ in range(6):
            colour = random.randint(0, 256, 3)
            cx, cy, r = random.rand() * width, random.rand() * height, (0.08 + 0.2 * random.rand()) * min(width, height)
            inside = (x - cx) ** 2 + (y - cy) ** 2 < r * r if random.rand() < 0.5 else (abs(x - cx) < r) & (abs(y - cy) < r)
            picture[inside] = colour
    elif kind == "stripes":  # full contrast, so that the kernel's overshoot has to be clamped
        picture = np.where(((x + 2 * y) // random.randint(3, 9) % 2)[..., None] > 0, 255.0, 0.0) * np.ones(3)
    elif kind == "checker":
        side = random.randint(1, 8)
        picture = mix(((x // side + y // side) % 2))
    elif kind == "radial":
        picture = mix(np.clip(np.hypot(u - 0.4, v - 0.6), 0, 1))
    elif kind == "steps":
        picture = mix(np.floor(u * 6) / 6)
    elif kind == "noise":
        small = random.randint(0, 256, (max(height // 6, 2), max(width // 6, 2), 3), dtype=np.uint8)
        picture = np.asarray(Image.fromarray(small).resize((width, height), Image.NEAREST)).astype(np.float64)
        if width * height < 10_000:
            picture = random.randint(0, 256, (height, width, 3)).astype(np.float64)
    elif kind == "lines":  # one pixel wide, black and white on a colour
        picture = np.zeros((height, width, 3)) + a
        picture[:: random.randint(4, 11)] = 255
        picture[:, :: random.randint(4, 11)] = 0
    elif kind == "text":  # blocks of 3 x 5 like small print
        cells = random.rand(height // 3 + 1, width // 2 + 1) < 0.4
        ink = np.kron(cells, np.ones((3, 2)))[:height, :width] * ((y // 9 % 2) == 0)
        picture = mix(ink)
    else:
        picture = 127.5 + 127.5 * np.stack([np.sin(14 * u * u * math.pi), np.sin(9 * v * v * math.pi), np.sin(8 * (u + v))], -1)
    if index % 7 == 3 and width * height < 20_000:
        picture = picture + random.randint(-6, 7, picture.shape)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def clip(image, resize, size):
    width, height = image.size
    short, long = min(width, height), max(width, height)
    other = int(resize * long / short)
    image = image.resize((resize, other) if width <= height else (other, resize), Image.BICUBIC)
    left, top = (image.width - size) // 2, (image.height - size) // 2
    return image.crop((left, top, left + size, top + size))


def siglip(image, resize, size):
    return image.resize((size, size), Image.BICUBIC)


def pad(image, resize, size):
    edge = max(image.size)
    square = Image.new("RGB", (edge, edge), (122, 116, 104))
    square.paste(image, ((edge - image.width) // 2, (edge - image.height) // 2))
    return clip(square, resize, size)


PIPELINES = {"clip": clip, "siglip": siglip, "pad": pad}


def cases(index):
    """pipeline, resize, size of the cases that a picture takes part in."""
    yield "clip", 48, 48
    yield "siglip", 48, 48
    if index % 2 == 0:
        yield "clip", 64, 64
    else:
        yield "siglip", 64, 64
    if index % 5 == 1:
        yield "clip", 56, 48  # the crop cuts on both axes
    if index % 5 == 2:
        yield "pad", 48, 48


def sha(data):
    return hashlib.sha256(data).hexdigest()


def main():
    check = "--check" in sys.argv
    if not check:
        IMAGES.mkdir(exist_ok=True)
        GOLDENS.mkdir(parents=True, exist_ok=True)
        for index, (width, height) in enumerate(SIZES):
            name = f"{index:02d}-{KINDS[index % len(KINDS)]}-{width}x{height}.png"
            Image.fromarray(draw(index, width, height)).save(IMAGES / name, optimize=True)

    pictures, entries, pixels = [], [], bytearray()
    for index, path in enumerate(sorted(IMAGES.glob("*.png"))):
        image = Image.open(path)
        assert image.mode == "RGB", path
        pictures.append({"file": path.name, "width": image.width, "height": image.height, "sha256": sha(image.tobytes())})
        for pipeline, resize, size in cases(index):
            out = PIPELINES[pipeline](image, resize, size).tobytes()
            assert len(out) == size * size * 3
            entries.append({"image": path.name, "pipeline": pipeline, "resize": resize, "size": size, "offset": len(pixels)})
            pixels += out

    index_text = "{\n" + ",\n".join([
        '"pixels": "pixels.bin.gz"', f'"length": {len(pixels)}', f'"sha256": "{sha(bytes(pixels))}"',
        '"images": [\n' + ",\n".join(json.dumps(p) for p in pictures) + "\n]",
        '"cases": [\n' + ",\n".join(json.dumps(e) for e in entries) + "\n]",
    ]) + "\n}\n"
    json.loads(index_text)
    if check:
        same = index_text == (GOLDENS / "index.json").read_text()
        same = same and gzip.decompress((GOLDENS / "pixels.bin.gz").read_bytes()) == bytes(pixels)
        print("the goldens agree" if same else "the goldens DIFFER")
        sys.exit(0 if same else 1)
    (GOLDENS / "index.json").write_text(index_text)
    (GOLDENS / "pixels.bin.gz").write_bytes(gzip.compress(bytes(pixels), 9, mtime=0))
    print(f"{len(pictures)} pictures, {len(entries)} cases, {len(pixels)} bytes")


if __name__ == "__main__":
    main()
