"""关于: what the program is, what it is not, how current its articles are, what is stored."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from chatbot.article_page import plain_page
from chatbot.cards import date_words
from chatbot.markup import escape, with_phones
from chatbot.records import DISCLAIMER
from corpus.records import Article, Authority, Status

if TYPE_CHECKING:
    from chatbot.turns import Answering

_NATION = "全国"
_PARTS = (
    (
        "这是什么",
        "您用平常的话问医保的事，这里从收录的文章里找出能回答的句子，原样摘给您看。",
        "摘出来的每一句后面都有编号。点编号，就能看到它出自哪篇文章，管哪个地方、哪一年，是谁说的。",
        "句子都是文章里的原话，不是电脑编的。找不到，就直说没有找到，并告诉您该问谁。",
    ),
    (
        "这不是什么",
        "这不是医保局，不能替您办事，也查不到您个人的缴费、余额和报销记录。",
        "这里不看病，不开药，不解释检查结果。急病请打120，心里难受请打12356。",
        "各地规定不一样，每年也会变。办事之前，请再问参保地医保局，或者打12393。",
    ),
)
_STORED = (
    "您的问题",
    "您的问题送到这台服务器上查找，不送到别处。对话只为接着问而留着，最后一次提问一小时后清除。",
    "请不要写姓名、身份证号、手机号和卡号，查医保用不着这些。",
    "点“有帮助”或者“没帮助”，才会连同这个问题送出一条意见，好让管理的人改进。",
    "字的大小、颜色和最近选过的参保地，只存在您自己的手机或电脑上，选参保地时可以清除。"
    "没写完的问题暂存在打开的网页里，网页关掉就没有了。",
    "本页不用外面的字体、图片和统计程序，也不放广告。",
)


def add_about(app: FastAPI, bot: "Answering") -> None:
    """Serve the page at ``/about``."""

    @app.get("/about", response_class=HTMLResponse, include_in_schema=False)
    def about() -> HTMLResponse:
        return HTMLResponse(about_page(bot.articles))


def about_page(articles: Collection[Article]) -> str:
    """The page as HTML, with what ``articles`` hold and how old they are."""
    sections = (*_PARTS, ("文章有多新", *_how_current(articles)), _STORED)
    shown = "".join(
        f"<h2>{title}</h2>"
        + "".join(f"<p>{with_phones(line, own_words=True)}</p>" for line in lines)
        for title, *lines in sections
    )
    main = f'<h1>关于医保问答</h1>{shown}<p class="disclaimer">{DISCLAIMER}</p>'
    return plain_page("关于", main)


def _how_current(articles: Collection[Article]) -> tuple[str, ...]:
    """In sentences: how many, of which places, from whom, from when to when."""
    places = {article.place for article in articles if article.place not in ((), (_NATION,))}
    dates = sorted(article.published for article in articles if article.published)
    counts = {kind: sum(a.authority is kind for a in articles) for kind in Authority}
    kinds = "，".join(f"{kind.label}{counts[kind]}篇" for kind in Authority if counts[kind])
    superseded = sum(article.status is Status.SUPERSEDED for article in articles)
    return (
        f"一共收录{len(articles)}篇文章，讲到{len(places)}个省、市、县，其余是全国的规定，或者没有写明地方。",
        f"按可靠程度分：{kinds}。“待核实”的意思是还没有和官方文件对过。",
        f"写明日期的有{len(dates)}篇，{_from_to(dates)}"
        f"另有{len(articles) - len(dates)}篇没有写明日期。",
        f"已经知道废止的有{superseded}篇，用到时会注明。没有收录的新规定，这里不知道。",
    )


def _from_to(dates: list[str]) -> str:
    if not dates:
        return ""
    first, last = (escape(date_words(day, "")) for day in (dates[0], dates[-1]))
    return f"最早的是{first}，最新的是{last}。"
