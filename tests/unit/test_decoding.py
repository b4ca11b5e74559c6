"""Decoding gives an image or an error of one line, for any content of a file."""

import io
import os
import struct
import warnings
import zlib

import numpy as np
import pytest
import simplejpeg
from PIL import Image, PngImagePlugin

from followme_uav import decoding
from followme_uav.decoding import ImageDecodeError, decode_image, decode_jpeg
from followme_uav.errors import DataError
from followme_uav.learn.data import dataset
from followme_uav.learn.data.prepare import prepare
from followme_uav.log.entry import EncodedImage
from followme_uav.log.images import decode_camera_image
from followme_uav.log.png import decode_png, encode_indexed_png
from tests.unit.labelled_frames import write_frames


def coded(kind, size=(24, 16), **options):
    rng = np.random.default_rng(0)
    stream = io.BytesIO()
    pixels = rng.integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def section(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of(width, height, *sections, kind=2):
    header = section(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(sections) + section(b"IEND", b"")


def jpeg_of(width, height):
    """A small JPEG with another size in its header."""
    data = bytearray(coded("JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def text_bomb():
    """A text of a few kilobytes that decompresses to many megabytes."""
    text = b"comment\0\0" + zlib.compress(bytes(80 << 20), 9)
    return png_of(4, 4, section(b"zTXt", text), section(b"IDAT", zlib.compress(bytes(52))))


def profile_bomb():
    profile = b"icc\0\0" + zlib.compress(bytes(80 << 20), 9)
    return png_of(4, 4, section(b"iCCP", profile), section(b"IDAT", zlib.compress(bytes(52))))


BROKEN = {
    "header of 30000x30000": png_of(30000, 30000, section(b"IDAT", zlib.compress(bytes(99)))),
    "header of 12000x12000": png_of(12000, 12000, section(b"IDAT", zlib.compress(bytes(99)))),
    "header of 2**31": png_of(2**31 - 1, 2**31 - 1, section(b"IDAT", zlib.compress(bytes(99)))),
    "no height": png_of(16, 0, section(b"IDAT", zlib.compress(bytes(99)))),
    "JPEG header of 65000x65000": jpeg_of(65000, 65000),
    "JPEG header of 12000x12000": jpeg_of(12000, 12000),
    "text": text_bomb(),
    "colour profile": profile_bomb(),
    "cut PNG": coded("PNG")[:200],
    "PNG of a header": coded("PNG")[:33],
    "PNG of half a header": coded("PNG")[:20],
    "signature": coded("PNG")[:8],
    "cut JPEG": coded("JPEG")[:300],
    "two bytes of a JPEG": coded("JPEG")[:2],
    "wrong section": png_of(4, 4, section(b"\0\1\2\3", b"abc")),
    "no pixels": png_of(4, 4),
    "wrong checksum": coded("PNG")[:30] + b"abc" + coded("PNG")[33:],
    "nothing": b"",
    "text file": b"no image",
    "GIF": coded("GIF"),
    "TIFF": coded("TIFF"),
}
DECODERS = {
    "data sets": decode_image,
    "logs, PNG": decode_png,
    "logs, JPEG": decode_jpeg,
    "logs, picture": lambda data: decode_camera_image(EncodedImage(data, "jpeg")),
}


@pytest.mark.parametrize("decode", DECODERS.values(), ids=DECODERS)
@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken_image_is_a_decode_error_of_one_line(data, decode):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow warns of some files
        with pytest.raises(ImageDecodeError) as caught:
            decode(data)
    text = str(caught.value)
    assert text
    assert "\n" not in text
    assert "object at 0x" not in text


@pytest.mark.parametrize(
    "error",
    [MemoryError(), OverflowError("x"), SyntaxError("y"), struct.error("z"), RuntimeError("a\nb")],
)
def test_every_error_of_a_decoder_becomes_a_decode_error(monkeypatch, error):
    """The types of errors can change with every release of a decoder."""

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(Image, "open", fail)
    monkeypatch.setattr(simplejpeg, "decode_jpeg", fail)
    monkeypatch.setattr(decoding, "_png_size", lambda data: (4, 4))
    for decode, data in ((decode_image, coded("PNG")), (decode_jpeg, coded("JPEG"))):
        with pytest.raises(ImageDecodeError, match="not a readable image") as caught:
            decode(data)
        assert "\n" not in str(caught.value)


def test_valid_images_are_decoded_as_by_pillow():
    for kind, options in (("PNG", {}), ("PNG", {"optimize": True}), ("JPEG", {"quality": 80})):
        data = coded(kind, **options)
        expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        np.testing.assert_array_equal(decode_image(data), expected)


def test_image_of_16_bits_is_refused():
    """Pillow would cut off all values above 255: the network would see a white image."""
    file = io.BytesIO()
    Image.fromarray(np.full((8, 8), 30_000, np.uint16)).save(file, "PNG")
    with pytest.raises(ImageDecodeError, match="more than 8 bits"):
        decode_image(file.getvalue())


def test_image_with_texts_of_ordinary_length_is_decoded():
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "from a camera", zip=True)
    assert decode_image(coded("PNG", pnginfo=info)).shape == (16, 24, 3)


def test_mask_without_rows_does_not_fill_the_memory():
    """An image without rows has length 0, which zlib takes as no limit."""
    mask = encode_indexed_png(np.zeros((4, 4), np.uint8), np.zeros((256, 3), np.uint8))
    forged = bytearray(mask)
    forged[20:24] = bytes(4)
    with pytest.raises(ImageDecodeError, match="4x0"):
        decode_png(bytes(forged))


def test_invalid_palette_is_a_decode_error():
    """Pillow reads it; the faster reader of logs must not raise another error."""
    palette, rows = section(b"PLTE", bytes(7)), section(b"IDAT", zlib.compress(bytes(20)))
    with pytest.raises(ImageDecodeError):
        decode_png(png_of(4, 4, palette, rows, kind=3))


@pytest.mark.parametrize("part", ["images/run1_cam1_00001.png", "masks/run1_mask_00001.png"])
@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken_file_of_a_data_set_is_named(tmp_path, data, part):
    folder = write_frames(tmp_path / "world", count=2, size=32)
    (folder / part).write_bytes(data)
    with pytest.raises(DataError) as caught:
        dataset.load_folders([folder])
    assert str(caught.value).startswith(f"{folder / part}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("camera", [1, 2, 3, 4])
def test_broken_file_of_a_recording_is_named(tmp_path, camera):
    (tmp_path / "raw").mkdir()
    for number in (1, 2, 3, 4):
        data = BROKEN["header of 30000x30000"] if number == camera else coded("PNG", (16, 16))
        (tmp_path / "raw" / f"cam{number}_00012.png").write_bytes(data)
    with pytest.raises(DataError, match=f"cam{camera}_00012.png: image of 30000x30000 pixels"):
        prepare(tmp_path / "raw", tmp_path / "set")


def test_pipe_in_place_of_an_image_does_not_hang(tmp_path):
    folder = write_frames(tmp_path / "world", count=2)
    path = folder / "images" / "run1_cam1_00001.png"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DataError, match=r"00001.png: not a readable image \(no ordinary file"):
        dataset.load_folders([folder])


def test_file_larger_than_any_image_is_not_read(tmp_path):
    folder = write_frames(tmp_path / "world", count=2)
    path = folder / "images" / "run1_cam1_00001.png"
    with path.open("ab") as file:
        file.truncate(2 << 30)  # a sparse file takes no space on the disk
    with pytest.raises(DataError, match=r"00001.png: not a readable image \(2048 MiB"):
        dataset.load_folders([folder])
