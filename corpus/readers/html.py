"""Web pages and saved web archives: main text by trafilatura, metadata from the page itself."""

import email
import email.policy
import re
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from pathlib import PurePath
from urllib.parse import urlsplit

from corpus import metadata
from corpus.errors import SkippedFile
from corpus.import_words import words
from corpus.readers import markup
from corpus.readers.draft import Draft, finish, is_byline
from corpus.readers.encoding import decode_page
from corpus.readers.limits import bounded
from corpus.readers.markup import Element
from corpus.records import Article, Authority

_SAVED_FROM = re.compile(r"<!--\s*saved from url=\(\d+\)(https?://\S+?)\s*-->")
_WECHAT_TIME = re.compile(r"var\s+(?:ct|createTime)\s*=\s*[\"'](\d{10})[\"']")
_SITE_BEHIND = re.compile(r"\s*(?:[_|｜]|\s[-–—]+\s|[-–—]{1,2})\s*[^-_|｜–—]{2,24}$")
_SITE_WORDS = re.compile(
    r"(?:网|局|政府|平台|中心|医院|问答|新闻|在线|频道|门户|官网|栏目|政务公开)$"
)
_BOILERPLATE = (
    "//*[contains(@class,'breadcrumb') or contains(@class,'sidebar') or contains(@class,'related')"
    " or contains(@class,'recommend') or contains(@id,'related') or contains(@id,'recommend')]"
)
_MARKS = "_|｜-–— "
_LINKED = 0.8  # share of linked words from which a block is navigation
_MOST = 0.9  # share of the main text that the block of the article must hold
_TELLING = 6  # characters; shorter lines stand in several places of a page
_DRAWN = frozenset(
    {"p", "div", "tr", "td", "th", "span", "em", "li", "h1", "h2", "h3", "h4", "section"}
)
_BYLINE_LENGTH = 150  # characters
_RUNNING_LENGTH = 25  # characters; a longer block with 。 is text, the head of the page is over


def read(data: bytes, path: PurePath) -> list[Article]:
    """The article of a web page.

    Raises:
        SkippedFile: there is no article in it.
    """
    return [_article(decode_page(data), "", path)]


def read_archive(data: bytes, path: PurePath) -> list[Article]:
    """The article of a page saved as one file (.mhtml, .mht).

    Raises:
        SkippedFile: there is no page in it.
    """
    message = email.message_from_bytes(data, policy=email.policy.default)
    pages = [part for part in message.walk() if part.get_content_type() == "text/html"]
    if not pages or not isinstance(pages[0], EmailMessage):
        msg = "网页存档里没有网页。请在浏览器里重新保存这个网页"
        raise SkippedFile(msg)
    content = pages[0].get_payload(decode=True)
    where = message.get("Snapshot-Content-Location") or pages[0].get("Content-Location") or ""
    charset = pages[0].get_content_charset() or ""
    return [
        _article(decode_page(content if isinstance(content, bytes) else b"", charset), where, path)
    ]


def fragment_lines(text: str) -> list[str]:
    """The lines of a piece of HTML that is all article, as in a column of a table."""
    tree = markup.parse(text)
    markup.clean(tree)
    markup.settle_tables(tree)
    return list(markup.markdown_lines(tree))


def _article(text: str, address: str, path: PurePath) -> Article:
    with bounded():
        tree = markup.parse(text)
        metas = _metas(tree)
        url = _url(tree, text, metas, address)
        name = tree.xpath("string(//*[@id='js_name'])").strip() or _meta(metas, "meta_source")
        wechat = _WECHAT_TIME.search(text)
        day = metadata.iso_date(_meta(metas, "meta_date")) or _day_of_stamp(wechat)
        title, site = _title(metas, tree)
        title = title or path.stem
        markup.clean(tree)
        byline = list(_take_byline(tree, title))
        _take_navigation(tree)
        markup.settle_tables(tree)
        _settle_bold(tree)
        lines = _main_lines(tree)
    source = metadata.source_of(byline) or name or site
    return finish(
        Draft(
            title=title,
            lines=lines,
            key=path.stem,
            byline=byline,
            published=day,
            source_name=source,
            source_url=url,
            authority=None if source or url else Authority.SITE,
        )
    )


def _metas(tree: Element) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = (
            element.get("name") or element.get("property") or element.get("itemprop") or ""
        ).lower()
        content = markup.tidy(element.get("content") or "")
        if name and content:
            found.setdefault(name, content)
    return found


def _meta(metas: Mapping[str, str], wanted: str) -> str:
    values = (metas.get(name.lower(), "") for name in words(wanted))
    return next((value for value in values if value and value not in words("platforms")), "")


def _url(tree: Element, text: str, metas: Mapping[str, str], address: str) -> str:
    saved = _SAVED_FROM.search(text[:2000])
    canonical = tree.xpath("string(//link[@rel='canonical']/@href)")
    for url in (address, saved.group(1) if saved else "", canonical, _meta(metas, "meta_url")):
        if re.fullmatch(r"https?://\S+", url.strip()) and urlsplit(url.strip()).hostname:
            return url.strip()
    return ""


def _day_of_stamp(found: re.Match[str] | None) -> str:
    """The day of a public account's time stamp, in China's time."""
    import datetime as dt

    if not found:
        return ""
    zone = dt.timezone(dt.timedelta(hours=8))
    return dt.datetime.fromtimestamp(int(found.group(1)), zone).date().isoformat()


def _title(metas: Mapping[str, str], tree: Element) -> tuple[str, str]:
    """(title, name of the site that stood behind it)."""
    heads = [markup.text_of(e) for e in tree.iter("h1", "h2", "h3")]
    heads = [text for text in heads if 4 <= len(text) <= 120]
    main = [text for e in tree.iter("h1") if (text := markup.text_of(e)) in heads]
    named = markup.tidy(tree.findtext(".//title") or "")
    best = _meta(metas, "meta_title") or (main[0] if len(main) == 1 else "") or named
    for text in heads:
        behind = named.removeprefix(text).strip()
        if named.startswith(text) and (not behind or behind[0] in _MARKS):
            return (text if best == named else best), _site(behind)
    shorter, site = best, ""
    while (cut := _SITE_BEHIND.search(shorter)) and cut.start() >= 4:
        name = cut.group()
        if not (_SITE_WORDS.search(name) or "_" in name or "|" in name):
            break
        shorter, site = shorter[: cut.start()], _site(name)
    return shorter.strip(), site


def _site(behind: str) -> str:
    """The last name of 「_栏目_某某网」 if it is one of a site."""
    name = re.split(rf"[{re.escape(_MARKS)}]", behind)[-1].strip()
    return name if _SITE_WORDS.search(name) else ""


def _take_byline(tree: Element, title: str) -> Iterator[str]:
    """Take the lines with date, source and number out of the head of a page, and give them."""
    for element in list(tree.iter(*_DRAWN)):
        if element.getparent() is None or element.xpath("ancestor::li|ancestor::aside|ancestor::a"):
            continue
        text = markup.text_of(element)
        if len(text) > _RUNNING_LENGTH and "。" in text and not _holds_blocks(element):
            return
        if text and len(text) <= _BYLINE_LENGTH and is_byline(text) and title not in text:
            yield text
            markup.drop(element)


def _holds_blocks(element: Element) -> bool:
    return any(child.tag in markup.BLOCKS for child in element.iterdescendants())


def _take_navigation(tree: Element) -> None:
    """Take out blocks of links, and related pages from their heading on."""
    for element in tree.xpath(_BOILERPLATE):
        if element.tag not in ("body", "html") and len(markup.text_of(element)) * 2 < len(
            markup.text_of(tree)
        ):
            markup.drop(element)
    for element in list(tree.iter(*_DRAWN)):
        text = markup.text_of(element).rstrip(":： ")
        if text in words("cut_from") and element.getparent() is not None:
            for later in list(element.itersiblings()):
                markup.drop(later)
            markup.drop(element)
    for element in list(tree.iter("li", "p", "td", "div", "ul", "nav", "footer", "aside", "span")):
        if element.getparent() is not None and (
            element.tag in ("nav", "footer", "aside") or markup.link_share(element) >= _LINKED
        ):
            markup.drop(element)


def _settle_bold(tree: Element) -> None:
    """A short paragraph that is all bold is a heading; other emphasis says nothing."""
    for element in list(tree.iter("p")):
        text = markup.text_of(element)
        bold = "".join(markup.text_of(b) for b in element.iter("b", "strong"))
        if 2 <= len(text) <= 30 and text == bold and not re.search(r"[。；，！？]$", text):
            element.tag = "h3"
    for element in list(tree.iter("b", "strong", "em", "i", "u", "font", "mark", "ins")):
        if element.getparent() is not None:
            element.drop_tag()


def _main_lines(tree: Element) -> list[str]:
    """Lines of the block of the page that holds what trafilatura takes for the main text.

    trafilatura finds the block; its lines are taken from the page itself, because trafilatura
    leaves out short headings, items and rows inside it.
    """
    import trafilatura

    page = markup.to_html(tree)
    found = trafilatura.extract(
        page, output_format="txt", include_comments=False, include_tables=True, fast=True
    )
    kept = [_bare(line) for line in (found or "").splitlines()]
    kept = [line for line in kept if len(line) >= _TELLING]
    block = tree
    while kept and (inner := next((c for c in block if _holds(c, kept)), None)) is not None:
        block = inner
    lines = list(markup.markdown_lines(block))
    main = [at for at, line in enumerate(lines) if _bare(line) in kept]
    first, last = (main[0], main[-1]) if main else (0, len(lines) - 1)
    return [line for at, line in enumerate(lines) if first <= at <= last or _is_content(line)]


def _holds(element: Element, kept: list[str]) -> bool:
    """Whether an element holds most of the main text."""
    if not isinstance(element.tag, str):
        return False
    text = _bare(markup.text_of(element))
    return sum(len(line) for line in kept if line in text) >= _MOST * sum(map(len, kept))


def _is_content(line: str) -> bool:
    """Whether a line outside of what trafilatura took is text all the same."""
    return line.startswith(("- ", "#")) or line.endswith(("。", "；"))


def _bare(line: str) -> str:
    return re.sub(r"[\W_]", "", line)
