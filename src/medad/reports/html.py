"""The pages of reports: HTML files that ask the network for nothing."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape

NOTICE = "medad is a research tool, not a medical device; its scores are no diagnosis."

_STYLE = """
:root { color-scheme: light; --ink: #1e293b; --soft: #64748b; --line: #e2e8f0; --accent: #1d4ed8; }
* { box-sizing: border-box; }
body { margin: 0; background: #f1f5f9; color: var(--ink);
  font: 15px/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 2.2rem 2.5rem 3rem; background: #fff; min-height: 100vh; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .7rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem; padding-top: .9rem; border-top: 1px solid var(--line); }
h3 { font-size: .95rem; margin: 1.2rem 0 .4rem; }
p { margin: .4rem 0 .7rem; max-width: 75ch; } p.note { color: var(--soft); font-size: .87rem; }
.lead { font-size: 1.05rem; }
.counts { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1.1rem 0 .3rem; padding: 0; list-style: none; }
.counts li { border: 1px solid var(--line); border-radius: 8px; padding: .45rem .9rem; min-width: 6.5rem; }
.counts b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.counts span { color: var(--soft); font-size: .82rem; }
.meaning { border-left: 4px solid var(--accent); padding: .1rem 0 .1rem 1.1rem; margin: 1.2rem 0; }
.meaning ul { margin: .3rem 0 .6rem; padding-left: 1.1rem; max-width: 85ch; } .meaning li { margin: .25rem 0; }
.wide { overflow-x: auto; }
.bar { display: inline-block; width: 9rem; height: .8rem; margin: 0 .4rem; vertical-align: -.1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .38rem .9rem .38rem 0; text-align: left; vertical-align: baseline;
  border-bottom: 1px solid var(--line); }
thead th { white-space: nowrap; color: var(--soft); font-weight: 600; font-size: .82rem;
  border-bottom: 2px solid #cbd5e1; }
tbody th { font-weight: 500; white-space: nowrap; }
td { white-space: nowrap; } td.text { white-space: normal; overflow-wrap: anywhere; color: #475569; }
small { color: var(--soft); font-weight: 400; }
code { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .92em; }
figure { margin: .8rem 0; } img { display: block; height: auto; }
figcaption { color: var(--soft); font-size: .87rem; margin-top: .45rem; max-width: 95ch; }
summary { cursor: pointer; color: var(--accent); padding: .3rem 0; }
footer { margin-top: 2.5rem; padding-top: .8rem; border-top: 1px solid var(--line); color: var(--soft);
  font-size: .82rem; }
/* A table that is wider than the page scrolls by itself, under a first column that stays. */
th:first-child { position: sticky; left: 0; background: #fff; }
@media (max-width: 700px) { main { padding: 1.2rem 1rem 2rem; } h1 { font-size: 1.35rem; }
  tbody th:first-child { white-space: normal; overflow-wrap: anywhere; min-width: 8.5rem; }
  td.text { min-width: 20rem; } }
@media print { body { background: #fff; font-size: 10.5pt; } main { max-width: none; padding: 0; }
  h2 { break-after: avoid; } figure, tr, li { break-inside: avoid; } .wide { overflow: visible; }
  img { max-width: 100%; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
  @page { margin: 15mm; } }
"""

# Whatever the data hold, the policy lets no browser load anything from outside the file, or run anything in it; a
# page with a script may run that one, known by its digest, and show pictures that lie beside it.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_SCRIPT_POLICY = "default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="{policy}">
<title>{title}</title><style>{style}</style></head>
<body><main>
{body}
</main>{script}</body></html>
"""


class Html(str):
    """Text that is HTML already and is not escaped again."""


def html(text: object) -> Html:
    """Escape anything that is not `Html`."""
    return text if isinstance(text, Html) else Html(escape(str(text)))


def element(tag: str, content: object, css: str = "") -> Html:
    """Return ``<tag>content</tag>`` with escaped content and an optional class."""
    class_ = f' class="{css}"' if css else ""
    return Html(f"<{tag}{class_}>{html(content)}</{tag}>")


def join(*parts: object) -> Html:
    """Return the parts, escaped where they are no HTML, one after the other."""
    return Html("\n".join(html(part) for part in parts))


def table(header: Sequence[object], rows: Sequence[Sequence[object]], text: Sequence[int] = ()) -> Html:
    """Return a table whose first column names the rows; `text` are positions of columns of running text."""
    head = join(*(element("th", cell) for cell in header))
    kind = ["text" if i in text else "" for i in range(len(header))]
    lines = [[element("td" if i else "th", cell, kind[i]) for i, cell in enumerate(row)] for row in rows]
    body = join(*(element("tr", join(*line)) for line in lines))
    parts = join(element("thead", element("tr", head)), element("tbody", body))
    return element("div", element("table", parts), "wide")


def picture(uri: str, alt: str, caption: object, width: int | None = None) -> Html:
    """Return a figure of an embedded picture; `uri` is a data URI of our own making.

    It keeps its size, or the `width` in pixels, on small screens, too, and scrolls by itself.
    """
    size = f' width="{width}"' if width else ""
    image = Html(f'<img src="{uri}" alt="{escape(alt, quote=True)}"{size}>')
    return element("figure", join(element("div", image, "wide"), element("figcaption", caption)))


def bullets(lines: Iterable[object]) -> Html:
    """Return a list with an item for each line."""
    return element("ul", join(*(element("li", line) for line in lines)))


def link(address: str, text: object) -> Html:
    """Return a link to a relative `address`."""
    return Html(f'<a href="{escape(address, quote=True)}">{html(text)}</a>')


def section(title: str, *parts: object) -> Html:
    """Return a section with a heading."""
    return element("section", join(element("h2", title), *parts))


def cards(values: Iterable[tuple[object, str]]) -> Html:
    """Return short figures, each with its words, as a row of cards."""
    items = (join(element("b", value), element("span", words)) for value, words in values)
    return element("ul", join(*(element("li", item) for item in items)), "counts")


def page(title: str, *parts: object, style: str = "", script: str = "") -> str:
    """Return the whole document.

    Parameters
    ----------
    title : str
        Of the window.
    *parts : object
        What the page shows, one below the other.
    style : str
        CSS beside that of all pages.
    script : str
        JavaScript of our own; the page then shows pictures that lie beside it, instead of embedded ones.
    """
    policy = _SCRIPT_POLICY.format(digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode())
    return _PAGE.format(
        policy=policy if script else _POLICY,
        title=escape(title),
        style=_STYLE + style,
        body=join(*parts),
        script=f"<script>{script}</script>" if script else "",
    )
