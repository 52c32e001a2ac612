"""The key to the colours of heat maps."""

from collections.abc import Sequence

import numpy as np

from medad.reports.html import Html
from medad.reports.overlay import overlay


def scale_key(scale: Sequence[float]) -> Html:
    """Return a bar of the colours that :func:`medad.reports.overlay.overlay` gives, between the two ends of `scale`."""
    low, high = (f"{end:.3g}" for end in scale)
    return Html(f'{low}<span class="bar" style="background: {_gradient()}"></span>{high} or more')


def _gradient() -> str:
    """Return the colours of the maps from no to full colour, on middle grey, for CSS."""
    ramp = overlay(np.full((1, 33), 128, np.uint8), np.linspace(0, 1, 33)[None], 0, 1)
    colours = [ramp.getpixel((x, 0)) for x in range(0, 33, 2)]
    return f"linear-gradient(90deg, {', '.join('rgb' + str(colour) for colour in colours)})"
