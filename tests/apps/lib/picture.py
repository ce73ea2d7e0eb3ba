# SPDX-License-Identifier: MIT
"""Pictures to upload, and what a thumbnail must be like."""
import subprocess
import zlib


def chunk(kind, data):
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def png(width=640, height=480, comment=b""):
    """Grey stripes that every decoder takes."""
    row = b"\0" + bytes(i % 256 for i in range(width))
    return b"\x89PNG\r\n\x1a\n" + \
        chunk(b"IHDR", width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\0\0\0\0") + \
        (chunk(b"tEXt", b"Comment\0" + comment) if comment else b"") + \
        chunk(b"IDAT", zlib.compress(row * height)) + chunk(b"IEND", b"")


def jpeg(width=640, height=480):
    """By convert, outside every guard."""
    return subprocess.run(["/usr/bin/convert", "-size", f"{width}x{height}", "gradient:navy-orange", "jpeg:-"],
                          capture_output=True, check=True).stdout


def size(data):
    """Width and height of a PNG, GIF or JPEG; None: it is none."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if data.startswith(b"GIF8"):
        return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    at = 2
    while data.startswith(b"\xff\xd8") and at + 9 < len(data):
        length = int.from_bytes(data[at + 2:at + 4], "big")
        if data[at + 1] in (0xc0, 0xc1, 0xc2):
            return int.from_bytes(data[at + 7:at + 9], "big"), int.from_bytes(data[at + 5:at + 7], "big")
        at += 2 + length
    return None


def sized(width, height):
    """For a row of actions: the answer is a picture of this size."""
    def seen(answer):
        got = size(answer.data)
        return None if got == (width, height) else f"a picture of {got}, not {(width, height)}"
    return seen
