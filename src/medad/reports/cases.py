"""Single images of a report, large: each beside its map on it and, where it is known, the abnormal region."""

import base64
import io
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from PIL import Image
from scipy.ndimage import binary_erosion

from medad.reports.html import Html, element, join
from medad.reports.overlay import overlay, shown
from medad.reports.sheet import Sheet
from medad.reports.thumbnails import fit

PIXELS = 224  # side of a picture; the page shows it with 160 to 190 pixels
PERCENTILES = (50, 99.5)
_OUTLINE = (0, 229, 255)

# On a desktop two cases stand side by side, of three pictures each; on a phone pictures wrap.
STYLE = """
.cases { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 520px), 1fr)); gap: 1.1rem 1.6rem;
  list-style: none; margin: .5rem 0 0; padding: 0; }
.cases p { margin: 0 0 .25rem; font-size: .87rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(160px, 1fr)); gap: 6px; max-width: 570px; }
.tiles figure { margin: 0; } .tiles img { width: 100%; background: #000; }
.tiles figcaption { margin: .1rem 0 0; font-size: .78rem; }
"""


def colours_of(sheet: Sheet, name: str) -> Sequence[float]:
    """Return the values of no and of full colour: those of normal images where the run has them for this map."""
    if sheet.scale is not None and name == next(iter(sheet.maps)):
        return sheet.scale
    low, high = np.percentile(sheet.maps[name], PERCENTILES)
    return float(low), float(high)


def cases(sheet: Sheet, name: str) -> Iterator[Html]:
    """Yield the images of `sheet` with the map `name`, group by group under its heading."""
    for heading, members in groupby(range(len(sheet.images)), lambda i: sheet.groups[i]):
        items = [element("li", join(_words(sheet, i), _tiles(sheet, name, i))) for i in members]
        yield element("h3", heading)
        yield element("ul", join(*items), "cases")


def _words(sheet: Sheet, i: int) -> Html:
    return element("p", sheet.titles[i].replace("\n", ", "))


def _tiles(sheet: Sheet, name: str, i: int) -> Html:
    """Return image, map on the image, and the outlined abnormal region or else the map alone."""
    image = np.round(sheet.images[i] * 255).astype(np.uint8)
    values, colours = sheet.maps[name][i], colours_of(sheet, name)
    tiles = [_tile(shown(image), "image"), _tile(overlay(image, values, *colours), "map on the image")]
    if sheet.masks is not None and sheet.masks[i].any():
        tiles.append(_tile(outlined(shown(image), sheet.masks[i]), "marked as abnormal"))
    else:
        tiles.append(_tile(overlay(np.zeros_like(image), values, *colours), "map alone"))
    return element("div", join(*tiles), "tiles")


def outlined(picture: Image.Image, mask: np.ndarray) -> Image.Image:
    """Return `picture` as large as the page needs it, with the border of `mask`, (H, W) ``bool``, drawn."""
    large = fit(picture, PIXELS)
    region = np.asarray(Image.fromarray(mask).resize(large.size, Image.Resampling.NEAREST))
    border = region & ~binary_erosion(region, iterations=2)
    large.paste(_OUTLINE, (0, 0), Image.fromarray(border))
    return large


def _tile(picture: Image.Image, words: str) -> Html:
    buffer = io.BytesIO()
    fit(picture, PIXELS).save(buffer, "JPEG", quality=90, subsampling=0)
    uri = f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return element("figure", join(Html(f'<img src="{uri}" alt="">'), element("figcaption", words)))
