"""What the page shows, without a browser: rendering is pure, and text stays text."""

import asyncio
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from chatbot.about import about_page
from chatbot.article_page import article_page, missing_page, parse_marks
from chatbot.cards import around, date_words, render_evidence
from chatbot.conversation import KEPT_TURNS, Conversation
from chatbot.page import build_page
from chatbot.records import DISCLAIMER, Answer, Citation, Kind, Quote, Retrieval, Slots
from chatbot.render import KIND_WORDS, render_answer, render_question, render_slots
from chatbot.turns import FOLLOWUPS, OUTPUTS, shown
from corpus.records import Article, Authority, Span, Status

HOSTILE = "<script>x</script> [a](javascript:b) $$c$$ ~~d~~ *e* `f` &lt; {{g}} ${h} | # <!-- i -->"
BODY = (
    "第一句。第二句。第三句。第四句。第五句。\n\n"
    "## 小标题\n\n- 第六句可以打12393。\n- 第七句要付120元。\n"
)
HUIZHOU = Article(
    "hz",
    "惠州的事",
    BODY,
    place=("广东省", "惠州市"),
    published="2025-04-19",
    effective_year="2024",
    source_name="健康新闻",
    authority=Authority.SITE,
)
NATION = Article(
    "cn",
    "全国的事",
    "全国一句。",
    place=("全国",),
    source_name="医保局",
    authority=Authority.OFFICIAL,
    status=Status.SUPERSEDED,
)


class Seen(HTMLParser):
    """The elements and the text that a browser would make of some HTML."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


def quote(article: Article, text: str) -> Quote:
    start = article.body.index(text)
    return Quote.of(article, start, start + len(text))


def answer(*quotes: Quote, kind: Kind = Kind.ANSWER, **more) -> Answer:
    articles = list(dict.fromkeys(one.article for one in quotes))
    text = more.get("lead", "") + "".join(q.text for q in quotes) + more.get("closing", "")
    return Answer(
        question="问",
        kind=kind,
        text=text + DISCLAIMER,
        quotes=quotes,
        cited=tuple(articles.index(q.article) + 1 for q in quotes),
        citations=tuple(Citation.of(n, a) for n, a in enumerate(articles, 1)),
        **more,
    )


def test_an_answer_shows_lead_quotes_markers_sources_and_ends_with_the_disclaimer() -> None:
    shown = render_answer(
        answer(
            quote(HUIZHOU, "第二句。"),
            quote(NATION, "全国一句。"),
            kind=Kind.CAVEAT,
            lead="先看原文。",
            closing="拿不准请打12393。",
            slots=Slots(region="惠州市", insurance="职工"),
            retrieval=Retrieval(("bm25",), "门诊特定病种"),
        ),
        "t3",
    )
    seen = Seen(shown)
    order = [
        "有保留的回答",
        "先看原文。",
        "第二句。[1]",
        "全国一句。[2]",
        "拿不准请打12393。",
        "[1] 惠州的事 广东省惠州市 · 适用2024年，2025年4月19日发布 · 健康新闻 网站，待核实",
        "[2] 全国的事 全国 · 日期未注明 · 医保局 · 已废止 官方",
        "按这些情况查找：惠州市、职工",
        "已按“门诊特定病种”检索，撤销",
        "这次只按字词查找",
        DISCLAIMER,
    ]
    places = [seen.text.index(words) for words in order]
    assert places == sorted(places)
    assert seen.links == ["#src-t3-1", "#src-t3-2", "tel:12393", "#src-t3-1", "#src-t3-2"]
    assert "\n\n" not in shown


def test_sources_that_disagree_stand_side_by_side() -> None:
    shown = render_answer(
        answer(quote(HUIZHOU, "第二句。"), quote(NATION, "全国一句。"), kind=Kind.CONFLICT), "t1"
    )
    sides = re.split('<div class="yb-side">', shown)[1:]
    assert len(sides) == 2
    assert "第二句" in sides[0]
    assert "全国一句" not in sides[0]


def test_an_emergency_can_be_called_from_its_card() -> None:
    lead = "请立即拨打120。心里难受请打12356。"
    seen = Seen(render_answer(answer(kind=Kind.EMERGENCY, lead=lead), "t1"))
    assert seen.links == ["tel:120", "tel:12356", "tel:12393", "tel:120", "tel:12356"]
    assert "拨打 120（急救）" in seen.text
    doctor = Seen(render_answer(answer(kind=Kind.MEDICAL, lead="请找医生。"), "t1"))
    assert doctor.links == []


def test_how_it_was_searched_is_told_only_where_it_was() -> None:
    more = {"slots": Slots(region="惠州市"), "retrieval": Retrieval(("bm25",), "别的话")}
    assert "惠州市" not in render_answer(answer(kind=Kind.MEDICAL, **more), "t1")
    nothing = render_answer(answer(kind=Kind.NO_ANSWER, **more), "t1")
    assert "惠州市" in nothing
    assert "别的话" not in nothing


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_told_in_words(kind: Kind) -> None:
    assert KIND_WORDS[kind] in render_answer(answer(kind=kind, lead="句。"), "t1")


def test_hostile_text_is_shown_as_it_is() -> None:
    article = Article(
        "坏/<b>", HOSTILE, f"前。{HOSTILE}。后。", place=(HOSTILE,), source_name=HOSTILE
    )
    made = answer(quote(article, f"{HOSTILE}。"), lead=HOSTILE, followups=(HOSTILE,))
    for html in (
        render_question(HOSTILE),
        render_answer(made, "t1"),
        render_evidence(made, "t1"),
        article_page(article, [Span(2, 9)]),
    ):
        seen = Seen(html)
        assert HOSTILE in seen.text
        assert not {"img", "b", "em"} & set(seen.tags)
        assert seen.tags.count("script") == html.count('src="/own/')
        assert not any(link.startswith("javascript") for link in seen.links)


def test_evidence_shows_two_sentences_around_and_marks_the_quoted_one() -> None:
    made = answer(quote(HUIZHOU, "第三句。"))
    seen = Seen(render_evidence(made, "t7"))
    assert around([quote(HUIZHOU, "第三句。")]) == [Span(0, 20)]
    assert "第一句。第二句。第三句。第四句。第五句。" in seen.text
    assert "第六句" not in seen.text
    assert seen.tags.count("mark") == 1
    assert seen.links == ["/article/hz?quote=8-12#quote"]
    for words in ("广东省惠州市", "适用2024年，2025年4月19日发布", "健康新闻", "网站，待核实"):
        assert words in seen.text


def test_passages_that_overlap_are_joined() -> None:
    near = [quote(HUIZHOU, "第二句。"), quote(HUIZHOU, "第四句。")]
    assert len(around(near)) == 1
    marked = render_evidence(answer(*near), "t1")
    assert re.findall(r'<mark class="(.*?)">', marked) == ["yb-at-4", "yb-at-12"]
    markers = re.findall(r"yb-marker (yb-at-\d+)", render_answer(answer(*near), "t1"))
    assert markers == ["yb-at-4", "yb-at-12"]
    long = Article("l", "长文", "".join(f"这是第{n}句。" for n in range(30)))
    far = [quote(long, "这是第3句。"), quote(long, "这是第20句。")]
    windows = around(far)
    assert [window.of(long.body).count("。") for window in windows] == [5, 5]


def test_dates_are_told_in_words() -> None:
    assert date_words("2025-04", "2024") == "适用2024年，2025年4月发布"
    assert date_words("不明", "") == "日期未注明"


def test_the_whole_article_is_a_page() -> None:
    article = Article("a", "题", BODY, source_url="https://example.org/?a=1&b", truncated=True)
    page = article_page(article, parse_marks("0-4,8-12", len(BODY)))
    seen = Seen(page)
    assert page.count("<mark") == 2
    assert page.index('id="quote"') < page.index("第一句")
    assert "https://example.org/?a=1&b" in seen.links
    assert "原文到这里中断" in seen.text
    assert DISCLAIMER in seen.text
    assert "没有这篇文章" in missing_page()


def test_a_conversation_keeps_questions_and_forgets_the_oldest() -> None:
    conversation = Conversation()
    for n in range(KEPT_TURNS + 2):
        conversation = conversation.add(f"问{n}", answer(quote(HUIZHOU, "第一句。")))
    assert len(conversation.turns) == KEPT_TURNS
    assert conversation.history[0] == "问2"
    assert [m["role"] for m in conversation.messages[:2]] == ["user", "assistant"]
    targets = re.findall(r'id="(src-[^"]+)"', conversation.evidence)
    assert len(targets) == len(set(targets)) == KEPT_TURNS
    assert targets[-1] == f"src-t{KEPT_TURNS + 2}-1"


def test_slots_are_chips_in_words() -> None:
    shown = render_slots(Slots(region=HOSTILE, year="2024"), "t2")
    seen = Seen(shown)
    assert f"参保地：{HOSTILE}" in seen.text
    assert "年份：2024" in seen.text
    assert "险种" not in seen.text
    assert 'class="yb-chips yb-t2"' in shown


def test_what_was_taken_away_comes_back_only_when_it_is_said_again() -> None:
    known = answer(quote(HUIZHOU, "第一句。"), slots=Slots(region="广东省惠州市"))
    before = Conversation().add("我是惠州的", known).forget(["region", "nonsense"])
    assert before.forgotten == {"region"}
    assert before.add("那住院呢", answer()).forgotten == {"region"}
    assert before.add("惠州住院呢", known).forgotten == frozenset()
    unread = before.add("？", answer(kind=Kind.INVALID))
    assert unread.slots == known.slots


def test_the_plain_text_of_an_answer_is_there_for_copying() -> None:
    made = answer(quote(HUIZHOU, "第一句。"))
    plain = render_answer(made, "t1").split('<div class="yb-plain">')[1].split("</div>")[0]
    assert Seen(plain).text == made.text


def test_about_tells_what_the_articles_are() -> None:
    page = about_page([HUIZHOU, NATION])
    seen = Seen(page)
    for words in (
        "一共收录2篇文章，讲到1个省、市、县",
        "官方1篇，网站，待核实1篇",
        "最早的是2025年4月19日发布，最新的是2025年4月19日发布",
        "另有1篇没有写明日期",
        "已经知道废止的有1篇",
        DISCLAIMER,
    ):
        assert words in seen.text
    assert "tel:120" in seen.links
    assert "最早" not in Seen(about_page([NATION])).text


class OneAnswer:
    """A chatbot that knows one thing, and what it was asked."""

    ready = True
    articles_count = 1
    articles = (HUIZHOU,)
    starters = ("惠州的事", "乙？")

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []

    def ask(self, question, *, region="", history=(), mend=True, forget=()):
        self.asked.append(
            {"question": question, "region": region, "history": list(history)}
            | ({} if mend else {"mend": mend})
            | ({"forget": set(forget)} if forget else {})
        )
        return answer(
            quote(HUIZHOU, "第一句。"), followups=("再问？",), slots=Slots(region="广东省惠州市")
        )

    def article(self, article_id):
        return {"hz": HUIZHOU}[article_id]


def run(bot: OneAnswer, number: int, *inputs):
    """What the page shows after event ``number``: 0 is a typed question."""

    async def built():
        return build_page(bot)

    return list(asyncio.run(built()).fns.values())[number].fn(*inputs)


def texts(message: dict[str, Any]) -> str:
    """What the browser is sent of a message."""
    (part,) = message["content"]
    assert part["type"] == "text"
    return part["text"]


CHOSEN, UNDO = 1, 2  # events of a question that was tapped and of 「撤销」


@pytest.mark.parametrize("event", [0, CHOSEN])
def test_a_turn_shows_the_answer_and_what_to_ask_next(event: int) -> None:
    bot = OneAnswer()
    before = Conversation().add("早先", answer(quote(HUIZHOU, "第二句。")))
    done = run(bot, event, " 甲？\n乙 ", " 广东省惠州市 ", "year", before)
    assert bot.asked == [
        {
            "question": "甲？\n乙",
            "region": "广东省惠州市",
            "history": ["早先"],
            "forget": {"year"},
        }
    ]
    state, messages, evidence, chips, after, region, forget = done
    assert len(done) == OUTPUTS
    assert state.history == ["早先", "甲？\n乙"]
    assert [(one["role"], texts(one)) for one in messages] == [
        (one["role"], one["content"]) for one in state.messages
    ]
    assert "src-t2-1" in evidence
    assert "参保地：广东省惠州市" in chips
    assert (region, forget) == ("广东省惠州市", "")
    assert Seen(after).text == "接着问再问？重新开始"


def test_a_place_named_in_the_message_outweighs_the_chosen_one() -> None:
    done = run(OneAnswer(), 0, "惠州呢？", "广东省广州市", "", Conversation())
    assert done[5] == ""
    assert "参保地：广东省惠州市" in done[3]


def test_starters_stand_below_their_subject_in_plain_words() -> None:
    article = Article("x", "体检能报吗", BODY, topic="不予支付")
    bot = OneAnswer()
    bot.articles, bot.starters = (article, HUIZHOU), (article.title, HOSTILE)

    async def built():
        return build_page(bot)

    parts = asyncio.run(built()).get_config_file()["components"]
    (shown,) = [p["props"]["value"] for p in parts if p["props"].get("elem_id") == "yb-starters"]
    assert Seen(shown).text == f"可以这样问哪些不能报体检能报吗{HOSTILE}"
    assert "script" not in Seen(shown).tags


def test_more_follow_ups_than_are_shown_are_left_out() -> None:
    after = shown(Conversation().add("问", answer()), "", [f"问{n}" for n in range(9)])[4]
    assert after.count('yb-choice"') == FOLLOWUPS
    assert shown(Conversation(), "", ())[4] == ""
    assert "接着问" not in shown(Conversation().add("问", answer()), "", ())[4]


@pytest.mark.parametrize(("typed", "history"), [("门忒怎么办", ["早先"]), ("那住院呢", [])])
def test_undo_asks_the_last_question_another_way(typed: str, history: list[str]) -> None:
    bot = OneAnswer()
    before = Conversation().add("早先", answer()).add(typed, answer(quote(HUIZHOU, "第二句。")))
    done = run(bot, UNDO, "", "", before)
    assert bot.asked == [{"question": typed, "region": "", "history": history, "mend": False}]
    assert done[0].history == ["早先", typed]
    assert "第一句" in texts(done[1][-1])
    run(bot, UNDO, "", "", Conversation())
    assert len(bot.asked) == 1  # there was nothing to undo


def test_after_a_refusal_common_questions_are_offered() -> None:
    bot = OneAnswer()
    bot.ask = lambda *_, **__: answer(kind=Kind.NO_ANSWER, lead="没有找到。")
    after = run(bot, 0, "别的事", "", "", Conversation())[4]
    assert Seen(after).text == "可以这样问惠州的事乙？重新开始"
    bot.ask = lambda *_, **__: answer(kind=Kind.NO_ANSWER, lead="没有。", followups=("近的事？",))
    assert Seen(run(bot, 0, "别的事", "", "", Conversation())[4]).text == "接着问近的事？重新开始"
    bot.ask = lambda *_, **__: answer(kind=Kind.EMERGENCY, lead="请打120。")
    assert Seen(run(bot, 0, "胸口痛", "", "", Conversation())[4]).text == "重新开始"


def test_an_empty_box_asks_nothing() -> None:
    bot = OneAnswer()
    kept = run(bot, 0, "  ", "", "", Conversation())
    assert bot.asked == []
    assert all(part["__type__"] == "update" and len(part) == 1 for part in kept)
