"""A chatbot on a stage: one question for each kind of answer, none of it searched for."""

import time
from collections.abc import Collection, Sequence

from chatbot.records import DISCLAIMER, Answer, Citation, Kind, Quote, Retrieval, Slots
from corpus.records import Article, Authority, Status

HOSTILE = (
    "<script>window.hurt=1</script><img src=x onerror=window.hurt=2>[点](javascript:window.hurt=3)"
    " $$a^2$$ ~~划掉~~ *斜* **粗** `码` {{1+1}} ${1+1} <!-- x --> &lt;b&gt; | # 题"
)
LONG, CONFLICT, CLARIFY, URGENT, NOTHING, MISSPELT = (
    "门诊怎么报", "几处不同", "哪里参保", "胸口剧痛", "没有的事", "门忒怎么报",
)  # fmt: skip
NO_PLACE = "不知哪里"
SLOW, BROKEN = "慢慢查", "坏掉"
SLOW_SECONDS = 1.0
HURT = Article(
    "坏/../<b>",
    HOSTILE,
    f"前面一句。{HOSTILE}。后面一句。",
    place=(HOSTILE,),
    source_name=HOSTILE,
    source_url="javascript:1",
)
LOCAL = Article(
    "local",
    "惠州职工门诊怎么报销",
    "".join(f"这是第{n}条规定，看门诊时要记住。" for n in range(1, 13)),
    place=("广东省", "惠州市"),
    published="2025-04-19",
    effective_year="2025",
    topic="门诊报销",
    source_name="演示资料甲",
    source_url="https://example.org/a",
    authority=Authority.OFFICIAL,
    status=Status.CURRENT,
)
ONE_SIDE, OTHER_SIDE = (
    Article(
        name,
        title,
        body,
        place=("演示省", "演示市"),
        published=published,
        source_name=source,
        authority=authority,
    )
    for name, title, body, published, source, authority in (
        (
            "one",
            "演示市职工门诊一年报多少",
            "职工门诊一年最多报3000元。退休职工另算。",
            "2025-04-19",
            "演示资料甲",
            Authority.OFFICIAL,
        ),
        (
            "other",
            "门诊限额一览",
            "演示市的门诊限额是每年2600元。各地不一样。",
            "2023-01-02",
            "演示资料乙",
            Authority.SITE,
        ),
    )
)
ARTICLES = {article.id: article for article in (LOCAL, ONE_SIDE, OTHER_SIDE, HURT)}


def _lines(count: int) -> list[Quote]:
    ends = [at + 1 for at, char in enumerate(LOCAL.body) if char == "。"]
    return [
        Quote.of(LOCAL, start, end)
        for start, end in list(zip([0, *ends], ends, strict=False))[:count]
    ]


STAGED: dict[str, tuple[Kind, list[Quote], str, tuple[str, ...]]] = {
    LONG: (Kind.ANSWER, _lines(8), "", (CONFLICT, CLARIFY)),
    MISSPELT: (Kind.CAVEAT, _lines(1), "先看原文。", ()),
    CONFLICT: (
        Kind.CONFLICT,
        [Quote.of(side, 0, side.body.index("。") + 1) for side in (ONE_SIDE, OTHER_SIDE)],
        "几篇文章的说法不一样，都列在下面，请核实后再用。",
        (),
    ),
    CLARIFY: (Kind.CLARIFY, [], "各地规定不一样。请问您在哪个城市参保？", ()),
    URGENT: (
        Kind.EMERGENCY,
        _lines(1),
        "请马上拨打120。坐着休息，不要走动。\n\n您问的医保问题，资料里这样写。",
        (),
    ),
    NO_PLACE: (Kind.CLARIFY, [], "各地规定不一样。请问您在哪个城市参保？", ()),
    NOTHING: (Kind.NO_ANSWER, [], "没有找到，请打12393。", ()),
}


class StagedBot:
    """Answers a staged question with its kind of answer and anything else with hostile text."""

    ready = True
    can_search = staticmethod(lambda: True)
    articles = tuple(ARTICLES.values())
    articles_count = len(ARTICLES)
    starters = (LOCAL.title, LONG, CONFLICT)

    def ask(
        self,
        question: str,
        *,
        region: str = "",
        history: Sequence[str] = (),
        mend: bool = True,
        forget: Collection[str] = (),
    ) -> Answer:
        if question in (SLOW, BROKEN):
            time.sleep(SLOW_SECONDS)
        if question == BROKEN:
            raise RuntimeError(question)
        slots = Slots(
            "" if "region" in forget else region or "广东省惠州市",
            "" if "insurance" in forget else "职工",
        )
        if region:
            slots = Slots(region, slots.insurance)
        if question == NO_PLACE and not region:
            slots = Slots()
        staged = STAGED.get(question)
        if staged:
            kind, quotes, lead, followups = staged
            rewritten = "门特怎么报" if question == MISSPELT and mend else None
            return _answer(
                question, kind, quotes, slots, lead, followups=followups, rewritten=rewritten
            )
        closing = f"参保地：{region}；前面问过：{'、'.join(history)}"
        quotes = [Quote.of(HURT, 5, 5 + len(HOSTILE) + 1)]
        return _answer(question, Kind.ANSWER, quotes, slots, HOSTILE, closing, followups=(HOSTILE,))

    def article(self, article_id: str) -> Article:
        return ARTICLES[article_id]


def _answer(
    question: str,
    kind: Kind,
    quotes: Sequence[Quote],
    slots: Slots,
    lead: str = "",
    closing: str = "",
    *,
    followups: tuple[str, ...] = (),
    rewritten: str | None = None,
) -> Answer:
    articles = list(dict.fromkeys(quote.article for quote in quotes))
    cited = tuple(articles.index(quote.article) + 1 for quote in quotes)
    shown = [f"{quote.text}[{n}]" for quote, n in zip(quotes, cited, strict=True)]
    heads = [f"【{n}】《{article.title}》" for n, article in enumerate(articles, 1)]
    return Answer(
        question=question,
        kind=kind,
        text="\n".join(part for part in (lead, *heads, *shown, closing, DISCLAIMER) if part),
        lead=lead,
        closing=closing,
        quotes=tuple(quotes),
        cited=cited,
        citations=tuple(Citation.of(n, article) for n, article in enumerate(articles, 1)),
        slots=slots,
        followups=followups,
        retrieval=Retrieval(("bm25", "dense"), rewritten),
    )
