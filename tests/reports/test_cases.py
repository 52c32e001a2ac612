"""Images of a report stand beside their map and their mask, large enough to see, in the colours of normal images."""

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from medad.reports.cases import PIXELS, STYLE, cases, colours_of, outlined
from medad.reports.sheet import LABELLED


def pictures(sheet, name):
    text = "".join(cases(sheet, name))
    return [Image.open(io.BytesIO(base64.b64decode(data))) for data in re.findall('jpeg;base64,([^"]+)"', text)]


def test_every_image_has_three_large_pictures_under_its_heading(sheet):
    text = "".join(cases(sheet, "a_intra"))
    assert re.findall("<h3>(.*?)</h3>", text) == list(LABELLED)
    assert text.count("<li>") == 12 and text.count('<div class="tiles">') == 12
    drawn = pictures(sheet, "a_intra")
    assert len(drawn) == 36 and {picture.size for picture in drawn} == {(PIXELS, PIXELS)}
    assert PIXELS >= 160 and "minmax(160px, 1fr)" in STYLE


def test_the_map_is_drawn_where_it_is_high(sheet):
    maps = np.zeros((12, 16, 16))
    maps[0, :8] = 1
    image, on_image, _ = (
        np.asarray(p, float) for p in pictures(replace(sheet, maps={"a": maps}, scale=(0, 1)), "a")[:3]
    )
    changed = np.abs(image - on_image).mean(axis=2)
    assert changed[: PIXELS // 2 - 20].mean() > 20 > 3 > changed[PIXELS // 2 + 20 :].mean()


def test_colours_of_the_first_map_are_those_of_the_run(sheet):
    with_scale = replace(sheet, scale=(0.25, 0.75))
    assert colours_of(with_scale, "a_intra") == (0.25, 0.75)
    for shown, name in ((with_scale, "r_dual"), (sheet, "a_intra")):
        assert colours_of(shown, name) == pytest.approx(np.percentile(sheet.maps[name], (50, 99.5)))


def test_the_outline_follows_the_border_of_the_mask():
    mask = np.zeros((16, 16), bool)
    mask[4:8, 4:8] = True
    drawn = np.asarray(outlined(Image.new("RGB", (16, 16)), mask)).any(axis=2)
    scale = PIXELS // 16
    inside = np.kron(mask, np.ones((scale, scale), bool))
    assert not drawn[~inside].any() and not drawn[6 * scale, 6 * scale]
    assert drawn[4 * scale, 4 * scale : 8 * scale].all() and drawn[4 * scale : 8 * scale, 8 * scale - 1].all()
