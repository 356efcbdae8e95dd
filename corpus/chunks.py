"""Article → chunks: runs of whole blocks within a budget of jieba tokens.

A block is a heading, a paragraph, a table row or a list item with its indented lines. A heading
stays with what follows it, a table's head with its first row, a line that ends with a colon with
its list, a number with its unit. A paragraph that is alone over the budget is cut between
sentences; a list item, a table row and a sentence are never cut.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jieba

from corpus.records import Article, Chunk, Span
from corpus.sentences import sentences

TOKEN_BUDGET = 160  # jieba tokens a chunk: some 270 characters, well within the encoder's limit
_HEADING = re.compile(r"(#{1,6})\s+(.+)")
# 「3.5万元」 at the start of a line is no item.
_LIST_ITEM = re.compile(
    r"\s*(?:[-*+•●▪]\s|[•●▪]|(?:\d{1,2}\.)*\d{1,2}[.、](?!\d)\s?|\d{1,2}[)）]"
    r"|[（(][一二三四五六七八九十\d]+[)）]|[①-⑳])"
)
_CONTINUED = re.compile(r"(?: {2,}|\t)\s*\S")  # an indented line below an item belongs to it
_TABLE_RULE = frozenset("|-: \t\r\n")  # |---|:--:|
_NUMBER_END = re.compile(r"[\d０-９][\d０-９.,，～~—-]*$")
_UNIT = re.compile(r"[%％‰℃元万亿千百十个年月日天岁倍次分号级种人家项周条折成]|块钱|小时|m[glL]|kg")


@dataclass(frozen=True, slots=True)
class _Block:
    span: Span
    text: str
    tokens: int
    level: int  # heading level, 0 for text

    @property
    def leads_in(self) -> bool:
        """Whether it must not stand at the end of a chunk."""
        table_head = self.text.startswith("|") and _is_rule(self.text.rpartition("\n")[2])
        return self.level > 0 or table_head or self.text.endswith(("：", ":"))

    def holds(self, following: "_Block") -> bool:
        """Whether the next block must not be parted from this one."""
        return self.leads_in or bool(_NUMBER_END.search(self.text) and _UNIT.match(following.text))


def _is_rule(line: str) -> bool:
    """Whether a line is the rule below a table's head."""
    return "|" in line and "-" in line and _TABLE_RULE.issuperset(line)


def count_tokens(text: str) -> int:
    """Number of jieba tokens that are not white space."""
    return sum(1 for token in jieba.cut(text) if not token.isspace())


def _lines(body: str) -> Iterator[Span]:
    """Lines that hold something, with the lines that belong to them."""
    held: Span | None = None
    start = 0
    for line in re.findall(r"[^\n]*\n|[^\n]+$", body):  # other line marks do not end a sentence
        span = Span(start, start + len(line))
        start += len(line)
        if held and line.strip() and _belongs(body, held, line):
            held = Span(held.start, span.end)
        elif line.strip():
            if held:
                yield held
            held = span
    if held:
        yield held


def _belongs(body: str, block: Span, line: str) -> bool:
    """Whether a line goes on with the block above it: an item's indented line, a table's rule."""
    if _is_rule(line):
        head = block.of(body).strip()
        return head.startswith("|") and "\n" not in head
    own = _LIST_ITEM.match(line) or _HEADING.match(line) or line.lstrip().startswith("|")
    return bool(_LIST_ITEM.match(body, block.start) and _CONTINUED.match(line) and not own)


def _trim(body: str, span: Span) -> Span:
    text = span.of(body)
    return Span(
        span.start + len(text) - len(text.lstrip()), span.end - len(text) + len(text.rstrip())
    )


def _blocks(body: str, budget: int) -> Iterator[_Block]:
    """Lines of the body; a long paragraph is given sentence by sentence."""
    for line in _lines(body):
        text = line.of(body)
        heading = _HEADING.match(text)
        tokens = count_tokens(text)
        whole = heading or tokens <= budget or _LIST_ITEM.match(text) or text.lstrip()[0] == "|"
        pieces = [line] if whole else [_shift(s, line.start) for s in sentences(text)]
        for piece in pieces:
            if not piece.of(body).strip():
                continue
            span = _trim(body, piece)
            level = len(heading.group(1)) if heading else 0
            count = tokens if whole else count_tokens(span.of(body))
            yield _Block(span, span.of(body), count, level)


def _shift(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)


def _groups(blocks: Sequence[_Block], budget: int) -> Iterator[list[_Block]]:
    """Blocks gathered up to the budget; a heading opens a new group once one is half full."""
    group: list[_Block] = []
    used = cut = 0  # cut: blocks of the group that may stand without the rest
    for block in blocks:
        if group and not group[-1].holds(block):
            cut = len(group)
        full = used + block.tokens > budget or (block.level and used > budget // 2)
        if full and cut:
            yield group[:cut]
            group, cut = group[cut:], 0
            used = sum(held.tokens for held in group)
        group.append(block)
        used += block.tokens
    if group:
        yield group


def split(article: Article, budget: int = TOKEN_BUDGET) -> list[Chunk]:
    """Cut an article into chunks; ``article.body[chunk.start:chunk.end] == chunk.text`` for each.

    Args:
        article: what to cut.
        budget: jieba tokens a chunk may hold; a single sentence, list item or table row may exceed
            it.
    """
    if budget < 1:
        msg = f"budget must be at least 1, not {budget}"
        raise ValueError(msg)
    path: list[tuple[int, str]] = []
    chunks = []
    for number, group in enumerate(_groups(list(_blocks(article.body, budget)), budget)):
        start, end = group[0].span.start, group[-1].span.end
        for block in group:
            if block.level:
                path = [step for step in path if step[0] < block.level]
                path.append((block.level, block.text.lstrip("# ").strip()))
        chunks.append(
            Chunk(
                id=f"{article.id}#{number:03d}",
                article_id=article.id,
                start=start,
                end=end,
                text=article.body[start:end],
                heading_path=tuple(text for _, text in path),
            )
        )
    return chunks


__all__ = ["TOKEN_BUDGET", "count_tokens", "split"]
