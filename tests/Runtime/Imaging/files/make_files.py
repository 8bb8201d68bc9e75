#!/usr/bin/python3
"""Writes the sample files beside it; needs PIL 9.4 and numpy. The picture is always the same: three columns and two
rows of flat 8 x 8 blocks, so that it survives JPEG, and shows any wrong turn or mirroring.

    red    green  blue
    white  black  yellow

Files named "clear" have a transparent middle column, files named "half" are half transparent everywhere.
"""
import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).resolve().parent
BLOCKS = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[255, 255, 255], [0, 0, 0], [255, 255, 0]]], np.uint8)
RGB = Image.fromarray(np.kron(BLOCKS, np.ones((8, 8, 1), np.uint8)))
WIDTH, HEIGHT = RGB.size
# How PIL undoes each orientation; its inverse makes the stored picture.
STORED = {2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM, 5: Image.TRANSPOSE, 6: Image.ROTATE_90, 7: Image.TRANSVERSE, 8: Image.ROTATE_270}
JPEG = {"quality": 95, "subsampling": 0}


def png(bit_depth, color_type, rows, interlace=0, width=WIDTH, height=HEIGHT):
    """A PNG of kinds that PIL does not write."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, bit_depth, color_type, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def sixteen_bit(array):
    wide = array.astype(np.uint16) * 257
    return b"".join(b"\0" + row.astype(">u2").tobytes() for row in wide)


def adam7(array):
    rows = b""
    for x, y, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        for row in array[y::dy, x::dx]:
            rows += b"\0" + row.tobytes() if row.size else b""
    return rows


def turned(orientation):
    stored = RGB if orientation == 1 else RGB.transpose(STORED[orientation])
    exif = Image.Exif()
    exif[274] = orientation
    check = stored.copy()
    check.getexif()[274] = orientation
    assert np.array_equal(np.asarray(ImageOps.exif_transpose(check)), np.asarray(RGB)), orientation
    return stored, exif


def main():
    def save(name, image, **options):
        image.save(HERE / name, **options)

    save("rgb.png", RGB, optimize=True)
    save("rgb.jpg", RGB, **JPEG)
    save("rgb-progressive.jpg", RGB, progressive=True, **JPEG)
    save("rgb.webp", RGB, lossless=True)
    save("rgb.gif", RGB)
    save("rgb.tiff", RGB, compression="tiff_lzw")
    save("rgb-deflate.tiff", RGB, compression="tiff_adobe_deflate")

    for orientation in range(1, 9):
        stored, exif = turned(orientation)
        save(f"orientation-{orientation}.jpg", stored, exif=exif.tobytes(), **JPEG)
    stored, exif = turned(6)
    save("orientation-6.png", stored, exif=exif.tobytes())
    save("orientation-6.webp", stored, exif=exif.tobytes(), lossless=True)
    save("orientation-6.tiff", stored, tiffinfo={274: 6})

    array = np.asarray(RGB)
    save("grey.png", RGB.convert("L"))
    save("grey.jpg", RGB.convert("L"), **JPEG)
    save("black-white.png", RGB.convert("L").point(lambda level: 255 * (level > 127)).convert("1"))
    save("black-white.tiff", RGB.convert("L").point(lambda level: 255 * (level > 127)).convert("1"), compression="group4")
    save("palette.png", RGB.quantize(6))
    save("cmyk.jpg", RGB.convert("CMYK"), **JPEG)
    save("cmyk.tiff", RGB.convert("CMYK"), compression="tiff_lzw")
    (HERE / "rgb-16.png").write_bytes(png(16, 2, sixteen_bit(array)))
    (HERE / "grey-16.png").write_bytes(png(16, 0, sixteen_bit(np.asarray(RGB.convert("L")))))
    (HERE / "interlaced.png").write_bytes(png(8, 2, adam7(array), interlace=1))

    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[:, 8:16] = 0
    clear = Image.fromarray(np.dstack([array, alpha]))
    half = Image.fromarray(np.dstack([array, np.full_like(alpha, 128)]))
    save("clear.png", clear)
    save("clear.webp", clear, lossless=True, exact=True)
    save("clear.tiff", clear, compression="tiff_lzw")
    save("clear-palette.png", clear.quantize(7))
    save("half.png", half)
    save("half-grey.png", half.convert("LA"))
    wide = np.dstack([array, alpha])
    (HERE / "clear-16.png").write_bytes(png(16, 6, sixteen_bit(wide)))
    palette = RGB.quantize(6)
    index = palette.getpixel((12, 4))
    save("clear.gif", palette, transparency=index)  # green only

    red = Image.new("RGB", RGB.size, (255, 0, 0))
    save("animated.gif", RGB, save_all=True, append_images=[red], duration=100)
    save("animated.webp", RGB, save_all=True, append_images=[red], duration=100, lossless=True)
    save("pages.tiff", RGB, save_all=True, append_images=[red], compression="tiff_lzw")

    # 60,000 x 60,000 declared, a few rows delivered: 10.8 GB if somebody believed it.
    (HERE / "bomb.png").write_bytes(png(8, 2, b"\0" * 4096, width=60_000, height=60_000))
    (HERE / "bomb.gif").write_bytes(gif_with_frame(65_535, 65_535))
    (HERE / "bomb.tiff").write_bytes(tiff_with_tiles(32_768))
    (HERE / "not-supported.bmp").write_bytes(bmp())
    (HERE / "not-supported.svg").write_text('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="24" height="16"><rect width="24" height="16" fill="red"/></svg>\n')
    (HERE / "not-supported.pdf").write_bytes(pdf())


def gif_with_frame(width, height):
    """A canvas of one pixel, and a frame that is larger."""
    return b"GIF89a" + struct.pack("<HH", 1, 1) + b"\x80\0\0" + b"\xff\0\0\0\0\xff" + b"," + struct.pack("<HHHH", 0, 0, width, height) + b"\0\x02\x02\x44\x01\0;"


def tiff_with_tiles(edge):
    """A picture of 16 x 16 pixels in one tile of a gigabyte."""
    data = zlib.compress(b"\0" * 1000)
    tags = [(256, 16), (257, 16), (258, 8), (259, 8), (262, 1), (277, 1), (322, edge), (323, edge), (324, 0), (325, len(data))]
    start = 8 + 2 + len(tags) * 12 + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, start if tag == 324 else value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0) + data


def bmp():
    data = io.BytesIO()
    RGB.save(data, "BMP")
    return data.getvalue()


def pdf():
    return b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" \
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 24 16]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


if __name__ == "__main__":
    main()
