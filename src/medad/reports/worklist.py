"""worklist.html: scored images to look through one by one, the most abnormal first."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

from medad.evaluation.scores import ScoreTable
from medad.files import replacing
from medad.reports.html import NOTICE, Html, cards, element, html, page
from medad.reports.scale_key import scale_key

ROWS = 10_000  # a browser shows no more at ease

_STYLE = """
main { padding-top: 1.4rem; }
.keys { position: sticky; top: 0; z-index: 1; background: #fff; padding: .5rem 0; margin: 0; max-width: none;
  border-bottom: 1px solid var(--line); font-size: .87rem; color: var(--soft); }
kbd { border: 1px solid #cbd5e1; border-radius: 4px; padding: 0 .35em; font: inherit; }
#list { list-style: none; margin: 0; padding: 0; --side: 216px; --shown: 2; }
#list.plain { --shown: 1; }
#list li { display: grid; grid-template-columns: 3.4rem calc(var(--side) * var(--shown)) 1fr; gap: 0 1rem;
  padding: .5rem; border-bottom: 1px solid var(--line); border-left: 4px solid transparent;
  content-visibility: auto; contain-intrinsic-size: auto 233px; scroll-margin: 4rem; }
#list li.abnormal { border-left-color: #b45309; }
#list li:focus-within { background: #eff6ff; outline: 2px solid var(--accent); outline-offset: -2px; }
#list b { font-size: 1.1rem; text-align: right; font-variant-numeric: tabular-nums; }
#list img { width: 100%; height: var(--side); object-fit: contain; object-position: left top; }
#list p { margin: 0 0 .3rem; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
#list a { outline: none; color: inherit; } #list i { color: #b45309; font-style: normal; font-weight: 600; }
@media (max-width: 800px) { main { padding: 1rem; } #list { --side: min(216px, 44vw); }
  #list li { grid-template-columns: 2.4rem 1fr; contain-intrinsic-size: auto 330px; }
  #list li div { grid-column: 1 / -1; } .keys { position: static; } }
"""

_SCRIPT = """
addEventListener("keydown", event => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const forth = ["j", "ArrowDown"].includes(event.key), back = ["k", "ArrowUp"].includes(event.key);
  if (!forth && !back) return;
  event.preventDefault();
  const row = document.activeElement.closest("#list li");
  const next = !row ? document.querySelector("#list li")
    : forth ? row.nextElementSibling : row.previousElementSibling;
  if (!next) return;
  next.querySelector("a").focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
});
"""


@dataclass(frozen=True)
class Worklist:
    """What the page tells.

    Attributes
    ----------
    table : ScoreTable
        Scores, the most abnormal first, with labels and p-values where known.
    files : sequence of Path
        The images, by their absolute paths, in the order of `table`.
    small : sequence of str or None
        Their small pictures (the image, beside its map where there is one), as paths relative to the page; None
        where there is none.
    large : sequence of str or None
        The same of their heat maps at native size.
    percentiles : ndarray or None
        (n,) per cent of held-out normal images that score below each.
    scale : sequence of float or None
        Map values of no and of full colour; None for a method without maps.
    about : sequence of str
        What scored the images and what its threshold promises, a paragraph each.
    failures : str or None
        List of the files that could not be read, relative to the page.
    unreadable : int
        How many these are.
    undrawn : str
        What stands in the place of a picture that there is not.
    """

    table: ScoreTable
    files: Sequence[Path]
    small: Sequence[str | None]
    large: Sequence[str | None]
    percentiles: np.ndarray | None
    scale: Sequence[float] | None
    about: Sequence[str]
    failures: str | None = None
    unreadable: int = 0
    undrawn: str = "not drawn"


def write_worklist(path: Path, worklist: Worklist) -> None:
    """Write the page to `path`, whole or not at all; names of files are escaped, whatever they hold."""
    shown = min(len(worklist.table), ROWS)
    rows = Html("\n".join(_row(worklist, i) for i in range(shown)))
    kind = "" if worklist.scale else ' class="plain"'
    parts = [
        element("h1", "Worklist: the most abnormal images first"),
        cards(_counts(worklist)),
        *(element("p", text) for text in (*worklist.about, *_cut(worklist))),
        _keys(worklist),
        Html(f'<ol id="list"{kind}>{rows}</ol>'),
        element("footer", NOTICE),
    ]
    with replacing(path) as partial:
        text = page("Worklist", *parts, style=_STYLE, script=_SCRIPT)
        partial.write_text(text, encoding="utf-8", errors="replace")


def _counts(worklist: Worklist) -> Iterator[tuple[object, str]]:
    yield len(worklist.table), "images scored"
    if worklist.table.pred_label is not None:
        yield int(np.sum(worklist.table.pred_label)), "called abnormal"
    if worklist.failures:
        yield worklist.unreadable, Html(f'<a href="{_url(worklist.failures)}">could not be read</a>')


def _cut(worklist: Worklist) -> Iterator[str]:
    if len(worklist.table) > ROWS:
        yield f"The page shows the first {ROWS} images of {len(worklist.table)}; scores.csv holds all."


def _keys(worklist: Worklist) -> Html:
    """Return the line that stays in sight: the colour scale, and the keys."""
    keys = "<kbd>j</kbd> or <kbd>↓</kbd> next, <kbd>k</kbd> or <kbd>↑</kbd> previous, <kbd>Enter</kbd> opens"
    if not worklist.scale:
        return element("p", Html(f"This method gives no maps. {keys} the image"), "keys")
    bar = scale_key(worklist.scale)
    return element("p", Html(f"Map values, one scale for all: {bar}. {keys} the heat map"), "keys")


def _row(worklist: Worklist, i: int) -> str:
    path, small = worklist.files[i], worklist.small[i]
    image = path.as_uri()
    picture = str(element("span", worklist.undrawn))
    if small:
        picture = _link(_url(worklist.large[i] or "") or image, f'<img src="{_url(small)}" loading="lazy" alt="">')
    flagged = worklist.table.pred_label is not None and bool(worklist.table.pred_label[i])
    facts = " · ".join((*_facts(worklist, i), *(["<i>called abnormal</i>"] if flagged else [])))
    words = f"<div><p>{_link(image, html(path))}</p><p>{facts}</p></div>"
    return f"<li{' class=abnormal' if flagged else ''}><b>{i + 1}</b>{picture}{words}</li>"


def _link(address: str, content: str) -> str:
    return f'<a href="{address}" target="_blank">{content}</a>'


def _facts(worklist: Worklist, i: int) -> Iterator[str]:
    yield f"score {worklist.table.columns['pred_score'][i]:.4g}"
    if worklist.percentiles is not None:
        yield f"percentile {worklist.percentiles[i]:.3g}"
    if worklist.table.p_value is not None:
        yield f"p {worklist.table.p_value[i]:.2g}"
    if worklist.table.q_value is not None:
        yield f"q {worklist.table.q_value[i]:.2g}"


def _url(name: str) -> str:
    """Return the relative address of a file beside the page, every odd byte of its name escaped."""
    return quote(os.fsencode(name))
