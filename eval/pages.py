"""Self-contained HTML pages: no script, no style sheet, no picture from anywhere else.

Everything that came from data is escaped.
"""

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["folded", "page", "section", "table"]

LONG = 40  # characters of a cell whose text is broken into lines

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.6 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; color: #1b1b1b;
  max-width: 76rem; margin: 2rem auto; padding: 0 1rem; background: #fff; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
th, td { padding: .25rem .55rem; border-bottom: 1px solid #ddd; text-align: left;
  vertical-align: top; }
th { background: #f4f6f8; } td.n { text-align: right; white-space: nowrap; }
td, th { white-space: nowrap; } td.long { white-space: normal; min-width: 16rem; }
img { display: block; width: 100%; max-width: 60rem; min-width: 40rem; margin-top: 1rem; }
.lead { font-size: 1.1rem; } small { color: #666; } .note { color: #555; }
.bad { background: #fdecea; } .good { background: #e9f6ec; }
details { margin: .6rem 0; padding: .4rem .8rem; border: 1px solid #ddd; border-radius: 6px; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; }
"""


def page(title: str, sections: Iterable[str]) -> str:
    """A whole HTML document around ready-made sections."""
    return (
        '<!doctype html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n" + "\n".join(sections) + "\n</body>\n</html>\n"
    )


def section(heading: str, content: str, note: str = "") -> str:
    """A headed part of a page; ``content`` is HTML, the others are text."""
    remark = f'<p class="note">{escape(note)}</p>\n' if note else ""
    return f"<section>\n<h2>{escape(heading)}</h2>\n{remark}{content}\n</section>"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """An HTML table; numbers stand right-aligned.

    >>> "<td>&lt;b&gt;</td>" in table(("a",), [("<b>",)])
    True
    """
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>\n" for row in rows)
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{body}</table></div>'


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f'<td class="n">{value:.4f}</td>'
    if isinstance(value, int) and not isinstance(value, bool):
        return f'<td class="n">{value:,}</td>'
    text = str(value)
    kind = ' class="long"' if len(text) > LONG else ""
    return f"<td{kind}>{escape(text)}</td>"


def folded(summary: str, content: str) -> str:
    """``content`` (HTML) that opens when ``summary`` is clicked."""
    return f"<details><summary>{escape(summary)}</summary>\n{content}\n</details>"
