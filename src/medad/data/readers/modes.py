"""What Pillow opened, in each of its modes, to the values that the file means."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageCms

from medad.data.readers.contract import finite
from medad.data.readers.declared import jpeg_2000_bits, kept_to, png_bits
from medad.data.readers.deep_colour import raw_mode
from medad.data.readers.transparency import ON_BLACK, on_black

BITS, PHOTOMETRIC, COLOUR_MAP, SAMPLE_FORMAT = 258, 262, 320, 339  # TIFF tags
UNSIGNED, SIGNED = 1, 2
WHITE_IS_ZERO = 0
REDUCED = "colour of more than 8 bits was reduced to 8"
CONVERTED = {"LAB": "LAB colours were converted to sRGB", "CMYK": "CMYK colours were converted without their profile"}


class Values(NamedTuple):
    """Some of the attributes of :class:`medad.data.readers.Decoded`."""

    pixels: np.ndarray
    white: float | None
    bits: int | None = None
    inverted: bool = False
    remarks: tuple[str, ...] = ()


def values_of(image: Image.Image, path: Path) -> Values:
    """Decode the image that Pillow opened at `path`."""
    if image.format == "JPEG2000":
        return _jpeg_2000(image, path)
    if image.mode.startswith("I;16"):
        return _sixteen_bits(image, path)
    if image.mode in ("I", "F"):
        return _numbers(image, path)
    tags = _tags(image)
    if image.mode == "L" and _first(tags, SAMPLE_FORMAT, UNSIGNED) == SIGNED:
        return Values(np.asarray(image).view(np.int8), None)
    if image.mode == "P" and max(tags.get(COLOUR_MAP) or [256]) < 256:  # written as if a colour had 8 bits
        return Values(np.reshape(tags[COLOUR_MAP], (3, -1)).T.astype(np.uint8)[np.asarray(image)], 255)
    remarks = (CONVERTED[image.mode],) if image.mode in CONVERTED else ()
    if _is_reduced(image):
        remarks = (*remarks, REDUCED)
    pixels, more = _eight_bits(image)
    return Values(pixels, 255, remarks=(*remarks, *more))


def _sixteen_bits(image: Image.Image, path: Path) -> Values:
    """Decode grey of up to 16 bits."""
    pixels, tags = np.asarray(image).astype(np.uint16), _tags(image)
    bits = kept_to(pixels, png_bits(path) if image.format == "PNG" else _first(tags, BITS, 16))
    key, remarks = image.info.get("transparency"), tuple[str, ...]()
    if isinstance(key, int) and (pixels == key).any():
        pixels, remarks = np.where(pixels == key, np.uint16(0), pixels), (ON_BLACK,)
    return Values(pixels, float(2 ** (bits or 16) - 1), bits, tags.get(PHOTOMETRIC) == WHITE_IS_ZERO, remarks)


def _numbers(image: Image.Image, path: Path) -> Values:
    """Decode signed numbers, and those of 32 bits."""
    pixels, tags = np.asarray(image), _tags(image)
    if image.format == "PPM":  # Pillow scales every depth to 16 bits
        return Values(pixels.astype(np.uint16), 65535)
    if image.mode == "I" and _first(tags, BITS, 32) == 16:
        pixels = pixels.astype(np.int16)
    elif image.mode == "I" and _first(tags, SAMPLE_FORMAT, UNSIGNED) == UNSIGNED:
        pixels = pixels.view(np.uint32)
    return Values(finite(pixels, path), None, inverted=tags.get(PHOTOMETRIC) == WHITE_IS_ZERO)


def _jpeg_2000(image: Image.Image, path: Path) -> Values:
    bits, signed = jpeg_2000_bits(path)
    if image.mode not in ("L", "I;16"):
        pixels, remarks = _eight_bits(image)
        return Values(pixels, 255, remarks=((REDUCED,) if bits > 8 else ()) + remarks)
    pixels = np.asarray(image)
    if signed or bits != 8 * pixels.itemsize:  # Pillow moves them up to 8 or 16 bits, and none below 0
        stored = pixels.astype(np.int32) >> max(8 * pixels.itemsize - bits, 0)
        if signed:
            return Values(stored - (1 << bits - 1), None, bits)
        pixels = stored.astype(pixels.dtype)
    return Values(pixels, float(2 ** min(bits, 8 * pixels.itemsize) - 1), bits)


def _eight_bits(image: Image.Image) -> tuple[np.ndarray, tuple[str, ...]]:
    if image.mode == "LAB":
        lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return np.asarray(ImageCms.applyTransform(image, ImageCms.buildTransform(lab, rgb, "LAB", "RGB"))), ()
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        return on_black(np.asarray(image.convert("LA" if grey else "RGBA")), 255)
    target = "L" if grey else "RGB"
    return np.asarray(image if image.mode == target else image.convert(target)), ()  # converting would copy


def _is_reduced(image: Image.Image) -> bool:
    """Return whether the file holds more bits of a colour than Pillow keeps."""
    raw, tile = raw_mode(image), getattr(image, "tile", None)
    args: Any = tile[0].args if tile else ()
    deep_map = image.format == "PPM" and isinstance(args, tuple) and args[-1] > 255
    return deep_map or (image.mode != "P" and ";16" in raw)


def _tags(image: Image.Image) -> Any:
    return getattr(image, "tag_v2", {})


def _first(tags: Any, tag: int, default: int) -> int:
    value = tags.get(tag, default)
    return value[0] if isinstance(value, tuple) else value
