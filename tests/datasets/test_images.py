"""Every odd kind of picture against pixel values worked out by hand."""

from __future__ import annotations

import io
import os
import struct
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from datasets import images
from datasets.core import DataError


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def decode(image: Image.Image, kind: str, **options) -> np.ndarray:
    return images.decode_picture(encoded(image, kind, **options), "picture")


def png_16_bit(samples: np.ndarray, colour_type: int) -> bytes:
    """A PNG of 16 bits a sample, written by the standard alone (ISO/IEC 15948)."""
    height, width = samples.shape[:2]

    def chunk(name: bytes, data: bytes) -> bytes:
        named = name + data
        return struct.pack(">I", len(data)) + named + struct.pack(">I", zlib.crc32(named))

    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    signature = b"\x89PNG\r\n\x1a\n"
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return signature + body


def without_adobe_marker(data: bytes) -> bytes:
    start = data.index(b"\xff\xee")
    length = int.from_bytes(data[start + 2 : start + 4], "big")
    return data[:start] + data[start + 2 + length :]


@pytest.fixture
def quadrants() -> Image.Image:
    """Red, green over blue, white, eight pixels a square."""
    pixels = np.zeros((16, 24, 3), np.uint8)
    pixels[:8, :12] = (255, 0, 0)
    pixels[:8, 12:] = (0, 255, 0)
    pixels[8:, :12] = (0, 0, 255)
    pixels[8:, 12:] = (255, 255, 255)
    return Image.fromarray(pixels)


def corners(picture: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(picture[y, x].tolist()) for y in (0, -1) for x in (0, -1)]


RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_rgb_is_kept_exactly(quadrants, kind):
    picture = decode(quadrants, kind)
    np.testing.assert_array_equal(picture, np.asarray(quadrants))
    assert picture.dtype == np.uint8
    assert picture.flags.writeable


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_rgb_is_near(quadrants, kind):
    larger = quadrants.resize((96, 64), Image.Resampling.NEAREST)
    assert np.abs(np.array(corners(decode(larger, kind))) - [RED, GREEN, BLUE, WHITE]).max() < 8


def test_grey_becomes_three_equal_channels():
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    picture = decode(Image.fromarray(grey), "PNG")
    np.testing.assert_array_equal(picture, np.stack([grey] * 3, axis=-1))


def test_one_bit_is_black_and_white():
    picture = decode(Image.fromarray(np.array([[True, False]])), "PNG")
    assert picture.tolist() == [[[255] * 3, [0] * 3]]


def test_grey_with_alpha_shows_white_below():
    image = Image.new("LA", (1, 3))
    for y, value in enumerate([(100, 255), (100, 0), (0, 128)]):
        image.putpixel((0, y), value)
    # The last: 255 * (1 - 128 / 255) = 127.
    assert decode(image, "PNG")[:, 0, 0].tolist() == [100, 255, 127]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_rgba_shows_white_below(kind):
    image = Image.new("RGBA", (16, 16), (10, 20, 30, 0))
    image.paste((200, 0, 0, 255), (0, 0, 8, 16))
    picture = decode(image, kind, **({"lossless": True} if kind == "WEBP" else {}))
    assert picture[5, 3].tolist() == [200, 0, 0]
    assert picture[5, 12].tolist() == [255, 255, 255]


def test_palette(quadrants):
    picture = decode(quadrants.quantize(4), "PNG")
    assert corners(picture) == [RED, GREEN, BLUE, WHITE]


def test_palette_with_a_transparent_entry_shows_white(quadrants):
    image = quadrants.quantize(4)
    red = image.getpixel((0, 0))
    assert corners(decode(image, "PNG", transparency=red)) == [WHITE, GREEN, BLUE, WHITE]
    assert corners(decode(image, "GIF", transparency=red)) == [WHITE, GREEN, BLUE, WHITE]


def test_16_bit_grey_is_scaled_by_the_range_of_the_type():
    values = np.array([[0, 128, 129, 257, 32768, 65407, 65535]], np.uint16)
    expected = np.floor(values / 65535 * 255 + 0.5)
    assert expected.tolist() == [[0, 0, 1, 1, 128, 255, 255]]
    for data in (
        png_16_bit(values, colour_type=0),
        encoded(Image.fromarray(values), "PNG"),
        encoded(Image.fromarray(values), "TIFF"),
        b"P5 7 1 65535\n" + values.astype(">u2").tobytes(),
    ):
        picture = images.decode_picture(data, "picture")
        assert picture.shape == (1, 7, 3)
        np.testing.assert_array_equal(picture[..., 1], expected)


def test_big_endian_16_bit_tiff():
    values = np.array([[0, 257, 514, 65535]], ">u2")
    tags = [(256, 4), (257, 1), (258, 16), (259, 1), (262, 1), (273, 8), (277, 1), (279, 8)]
    directory = struct.pack(">H", len(tags))
    for tag, value in tags:
        directory += struct.pack(">HHIHH", tag, 3, 1, value, 0)
    data = b"MM\0*" + struct.pack(">I", 16) + values.tobytes() + directory + bytes(4)
    picture = images.decode_picture(data, "picture")
    assert picture[0, :, 0].tolist() == [0, 1, 2, 255]


def test_16_bit_colour_and_alpha():
    colour = np.array([[[0, 257 * 100, 65535]]], np.uint16)
    assert images.decode_picture(png_16_bit(colour, 2), "p").tolist() == [[[0, 100, 255]]]
    hidden = np.array([[[0, 257 * 100, 65535, 0], [257, 0, 0, 65535]]], np.uint16)
    decoded = images.decode_picture(png_16_bit(hidden, 6), "p")
    assert decoded.tolist() == [[[255, 255, 255], [1, 0, 0]]]
    grey = np.array([[[257 * 7, 65535], [0, 0]]], np.uint16)
    decoded = images.decode_picture(png_16_bit(grey, 4), "p")
    assert decoded[..., 0].tolist() == [[7, 255]]


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_with_adobe_marker_and_in_tiff(kind):
    """Full magenta and yellow are red; half black alone is grey."""
    image = Image.new("CMYK", (32, 16), (0, 255, 255, 0))
    image.paste((0, 0, 0, 128), (16, 0, 32, 16))
    picture = decode(image, kind)
    np.testing.assert_allclose(picture[4, 4], RED, atol=3)
    np.testing.assert_allclose(picture[4, 27], (127, 127, 127), atol=3)


def test_cmyk_jpeg_without_adobe_marker_is_not_inverted():
    # Pillow inverts when it writes, so the inverse of red's inks is given to it.
    image = Image.new("CMYK", (16, 16), (255, 0, 0, 255))
    data = without_adobe_marker(encoded(image, "JPEG"))
    assert b"Adobe" not in data
    np.testing.assert_allclose(images.decode_picture(data, "p")[4, 4], RED, atol=3)


def test_ycck_jpeg():
    """Red: its inverted inks are C 255, M 0, Y 0, which is the YCbCr of cyan, 179, 171, 0."""
    image = Image.new("CMYK", (16, 16), (255 - 179, 255 - 171, 255, 0))
    data = bytearray(encoded(image, "JPEG"))
    transform = data.index(b"Adobe") + 11
    assert data[transform] == 0
    data[transform] = 2
    np.testing.assert_allclose(images.decode_picture(bytes(data), "p")[4, 4], RED, atol=4)


# What lies in the stored picture's corners (first row, then last) when orientation n has to make
# red, green, blue, white of them (Exif 2.32, table "Orientation").
STORED = {
    1: "RGBW",
    2: "GRWB",
    3: "WBGR",
    4: "BWRG",
    5: "RBGW",
    6: "GWRB",
    7: "WGBR",
    8: "BRWG",
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_orientation(orientation, kind):
    colours = {"R": RED, "G": GREEN, "B": BLUE, "W": WHITE}
    height, width = (32, 48) if orientation < 5 else (48, 32)
    pixels = np.zeros((height, width, 3), np.uint8)
    for place, letter in enumerate(STORED[orientation]):
        y, x = divmod(place, 2)
        rows = slice(y * height // 2, (y + 1) * height // 2)
        pixels[rows, x * width // 2 : (x + 1) * width // 2] = colours[letter]
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode(Image.fromarray(pixels), kind, exif=exif)
    assert picture.shape == (32, 48, 3)
    assert np.abs(np.array(corners(picture)) - [RED, GREEN, BLUE, WHITE]).max() < 8


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["JPEG", "MPO", "PNG", "TIFF", "WEBP", "GIF", "BMP", "PPM"])
def test_the_size_of_a_header_is_that_of_the_picture(tmp_path, orientation, kind):
    """Formats without EXIF stay as they are stored."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "picture"
    path.write_bytes(encoded(Image.new("RGB", (24, 16)), kind, exif=exif))
    shape = images.read_picture(path).shape
    assert images.picture_size(path) == shape[:2]
    turned = orientation > 4 and kind not in ("GIF", "BMP", "PPM")
    assert shape == ((24, 16, 3) if turned else (16, 24, 3))


@pytest.mark.filterwarnings("ignore")
def test_a_damaged_exif_block_leaves_the_picture_readable(quadrants):
    data = encoded(quadrants, "JPEG", exif=b"Exif\0\0" + b"MM\0*\xff\xff\xff\xff" * 3)
    assert images.decode_picture(data, "picture").shape == (16, 24, 3)


def smooth(height: int, width: int) -> np.ndarray:
    """Red grows downwards, green to the right."""
    pixels = np.full((height, width, 3), 40, np.uint8)
    pixels[..., 0] = np.linspace(0, 255, height)[:, None]
    pixels[..., 1] = np.linspace(0, 255, width)
    return pixels


@pytest.mark.parametrize(
    ("at_least", "shape"),
    [
        (None, (400, 640)),
        ((40, 40), (100, 160)),  # 1/5 would do, 1/4 is the next that the format has
        ((50, 80), (100, 160)),
        ((51, 80), (200, 320)),
        ((50, 81), (200, 320)),
        ((10, 160), (200, 320)),
        ((10, 161), (400, 640)),
        ((1, 1), (50, 80)),  # less than 1/8 is not to be had
        ((1000, 1000), (400, 640)),
    ],
)
def test_a_jpeg_is_reduced_to_no_less_than_twice_what_is_needed(at_least, shape):
    pixels = smooth(400, 640)
    data = encoded(Image.fromarray(pixels), "JPEG", quality=95)
    picture = images.decode_picture(data, "picture", at_least)
    assert picture.shape == (*shape, 3)
    expected = Image.fromarray(pixels).resize(shape[::-1], Image.Resampling.BOX)
    assert np.abs(picture.astype(int) - np.asarray(expected)).max() <= 4


@pytest.mark.parametrize(
    ("height", "width", "shape"), [(401, 641, (201, 321)), (399, 639, (399, 639))]
)
def test_odd_sides_are_reduced_upwards(height, width, shape):
    data = encoded(Image.fromarray(smooth(height, width)), "JPEG")
    assert images.decode_picture(data, "picture", (100, 160)).shape == (*shape, 3)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_sides_of_a_turned_jpeg_are_compared_upright(orientation):
    """Upright 640 high and 400 wide, however it is stored: half of it is 320 x 200."""
    height, width = (640, 400) if orientation in (1, 3) else (400, 640)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(smooth(height, width)), "JPEG", exif=exif)
    assert images.decode_picture(data, "picture", (160, 50)).shape == (320, 200, 3)
    assert images.decode_picture(data, "picture", (50, 160)).shape == (640, 400, 3)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "PPM"])
def test_other_formats_are_decoded_in_full(quadrants, kind):
    data = encoded(quadrants, kind)
    assert images.decode_picture(data, "picture", (1, 1)).shape == (16, 24, 3)


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_jpegs_of_every_kind_of_colour_are_reduced(mode):
    image = Image.new("RGB", (64, 48), (200, 200, 200)).convert(mode)
    picture = images.decode_picture(encoded(image, "JPEG"), "picture", (10, 10))
    assert picture.shape == (24, 32, 3)
    np.testing.assert_allclose(picture, 200, atol=2)


def test_the_first_picture_of_a_stereo_jpeg_is_reduced():
    first, second = Image.new("RGB", (64, 48), RED), Image.new("RGB", (64, 48), BLUE)
    data = encoded(first, "MPO", save_all=True, append_images=[second])
    picture = images.decode_picture(data, "picture", (10, 10))
    assert picture.shape == (24, 32, 3)
    np.testing.assert_allclose(picture, np.broadcast_to(RED, picture.shape), atol=3)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_reduced_decoding_notices_a_cut_wherever_full_decoding_does(options):
    noise = np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), "JPEG", **options)
    whole = images.decode_picture(data, "whole", (5, 5))
    assert whole.shape == (10, 14, 3)
    noticed = 0
    for end in range(0, len(data), 3):
        try:
            images.decode_picture(data[:end], "cut")
        except DataError:
            with pytest.raises(DataError):
                images.decode_picture(data[:end], "cut", (5, 5))
            noticed += 1
        else:
            cut = images.decode_picture(data[:end], "cut", (5, 5))
            if not options:
                np.testing.assert_array_equal(cut, whole)
    assert noticed > len(data) / 3 * (0.5 if options.get("progressive") else 0.95)


def test_reduced_photographs_look_alike_after_resizing(shared_data):
    """Resized to 48 x 48 by Pillow, with and without reduction."""
    files = sorted((shared_data / "sun500_saliency").rglob("*.jpg"))[:40]
    differences = []
    for file in files:
        full, reduced = images.read_picture(file), images.read_picture(file, (48, 48))
        small = [
            np.asarray(Image.fromarray(p).resize((48, 48), Image.Resampling.BILINEAR), np.int32)
            for p in (full, reduced)
        ]
        if reduced.shape != full.shape:
            differences.append(np.abs(small[0] - small[1]))
    assert len(differences) >= 30
    assert 0 < np.mean(differences) < 1
    assert np.percentile(differences, 99) <= 8


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame(kind):
    first, second = Image.new("RGB", (8, 8), RED), Image.new("RGB", (8, 8), BLUE)
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(first, kind, save_all=True, append_images=[second], **options)
    assert corners(images.decode_picture(data, "picture")) == [RED] * 4


def test_content_decides_not_the_name(tmp_path, quadrants):
    path = tmp_path / "really_a_png.jpg"
    path.write_bytes(encoded(quadrants, "PNG"))
    np.testing.assert_array_equal(images.read_picture(path), np.asarray(quadrants))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>404</html>", "is not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "is not a picture"),
        (b"\xff\xd8\xff\xe0", "is not a picture"),
        (bytes(1000), "is not a picture"),
    ],
)
def test_what_is_no_picture_is_named(data, why):
    with pytest.raises(DataError, match=why) as caught:
        images.decode_picture(data, "cars/one.jpg")
    message = str(caught.value)
    assert message.startswith("cars/one.jpg ")
    assert "\n" not in message


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_a_picture_cut_in_half_is_named(kind):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(DataError, match=r"^half\.jpg "):
        images.decode_picture(data[: len(data) // 2], "half.jpg")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_cut_anywhere_it_is_refused_or_wholly_right(kind):
    noise = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    whole = images.decode_picture(data, "whole")
    refused = 0
    for end in range(len(data)):
        try:
            np.testing.assert_array_equal(images.decode_picture(data[:end], "cut"), whole)
        except DataError:
            refused += 1
    # What follows the last pixel (a check sum, the end mark) may be missing: at most 24 bytes.
    assert refused >= len(data) - 24


def test_32_bit_pictures_are_refused():
    for values in (np.zeros((2, 2), np.float32), np.zeros((2, 2), np.int32)):
        with pytest.raises(DataError, match="which number is white"):
            decode(Image.fromarray(values), "TIFF")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_decompression_bomb_is_refused_before_it_unfolds(side):
    data = png_16_bit(np.zeros((1, 1), np.uint16), 0)
    header = b"IHDR" + struct.pack(">II", side, side) + bytes([8, 0, 0, 0, 0])
    start = data.index(b"IHDR")
    data = data[:start] + header + struct.pack(">I", zlib.crc32(header)) + data[start + 21 :]
    assert side * side > images.MAX_PIXELS
    with pytest.raises(DataError, match=str(images.MAX_PIXELS)):
        images.decode_picture(data, "bomb.png")


def test_unreadable_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.jpg was not found"):
        images.read_picture(tmp_path / "gone.jpg")
    with pytest.raises(DataError, match="is not a file"):
        images.read_picture(tmp_path)
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(DataError, match="is not a file"):
        images.read_picture(tmp_path / "pipe.jpg")
    huge = tmp_path / "huge.jpg"
    with huge.open("wb") as file:
        file.truncate(images.MAX_BYTES + 1)
    with pytest.raises(DataError, match="bytes"):
        images.read_picture(huge)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_file_without_permission_is_named(tmp_path):
    path = tmp_path / "secret.jpg"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(DataError, match="may not be read"):
        images.read_picture(path)


def test_permission_denied_is_said_in_one_sentence(tmp_path, monkeypatch, quadrants):
    path = tmp_path / "secret.png"
    quadrants.save(path)

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "read_bytes", refuse)
    with pytest.raises(DataError, match=r"secret\.png may not be read"):
        images.read_picture(path)


@pytest.mark.filterwarnings("ignore")
def test_damaged_bytes_never_raise_anything_else():
    """Cut anywhere or with bytes changed, a picture decodes or is refused, in one line."""
    random = np.random.default_rng(1)
    noise = Image.fromarray(random.integers(0, 256, (12, 20, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    files = [encoded(noise, kind) for kind in ("GIF", "BMP", "PPM", "TIFF")]
    files += [encoded(noise, kind, exif=exif) for kind in ("JPEG", "PNG", "WEBP")]
    files += [encoded(noise.convert("CMYK"), "JPEG"), encoded(noise, "TIFF", compression="jpeg")]
    outcomes = {"read": 0, "refused": 0}
    for data in files:
        hostile = [data[: int(end)] for end in random.integers(0, len(data), 25)]
        for _ in range(50):
            changed = bytearray(data)
            for place in random.integers(0, min(len(data), 400), 3):
                changed[place] = random.integers(256)
            hostile.append(bytes(changed))
        for attempt in hostile:
            outcomes[outcome(attempt)] += 1
    assert outcomes["read"] > 50
    assert outcomes["refused"] > 50


def outcome(data: bytes) -> str:
    try:
        picture = images.decode_picture(data, "hostile.jpg")
    except DataError as error:
        assert str(error).startswith("hostile.jpg ")
        assert "\n" not in str(error)
        return "refused"
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert picture.shape[2] == 3
    return "read"


def test_threads_decode_the_same_pictures():
    random = np.random.default_rng(2)
    pictures = [random.integers(0, 256, (40, 30, 3), dtype=np.uint8) for _ in range(16)]
    kinds = ["PNG", "TIFF", "BMP", "PPM"] * 4
    files = [encoded(Image.fromarray(p), k) for p, k in zip(pictures, kinds, strict=True)]
    start = threading.Barrier(8)

    def work(_: int) -> bool:
        start.wait()
        return all(
            np.array_equal(images.decode_picture(data, "p"), picture)
            for data, picture in zip(files * 5, pictures * 5, strict=True)
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


def test_list_pictures_is_sorted_and_stays_inside(tmp_path):
    folder, outside = tmp_path / "in", tmp_path / "out"
    for name in ("b/2.JPG", "b/1.png", "a.jpeg", "b/c/3.webp", ".hidden.jpg", "._a.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    for name in ("b/notes.txt", ".cache/x.jpg", "__MACOSX/y.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    outside.mkdir()
    (outside / "z.jpg").touch()
    (folder / "linked_folder").symlink_to(outside)
    (folder / "leads_out.jpg").symlink_to(outside / "z.jpg")
    (folder / "leads_in.jpg").symlink_to(folder / "a.jpeg")
    (folder / "dangling.jpg").symlink_to(folder / "nothing.jpg")
    (folder / "loop.jpg").symlink_to("loop.jpg")
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    found = [path.relative_to(folder).as_posix() for path in images.list_pictures(folder)]
    assert found == ["a.jpeg", "b/1.png", "b/2.JPG", "b/c/3.webp", "leads_in.jpg"]


def test_list_pictures_refuses_what_is_not_there(tmp_path):
    with pytest.raises(DataError, match="cannot be listed"):
        images.list_pictures(tmp_path / "nothing")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(DataError, match="cannot be listed"):
        images.list_pictures(tmp_path / "loop")
