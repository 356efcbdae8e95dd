"""One command imports a folder of everything; killed and run again it ends in the same state."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from corpus import folder
from corpus.__main__ import app
from corpus.records import Article, Audience, Authority
from tests.conftest import ROOT, SEEDS, needs_seeds
from tests.import_documents import BAD, PDF_TITLE, RULE, mixed_folder

GOOD = 16  # articles besides those of the two saved pages
HUIZHOU, HEFEI = ("广东省", "惠州市"), ("安徽省", "合肥市")
BOILERPLATE = (
    "首页、上一篇、下一篇、分享到、版权所有、责任编辑、浏览次数、点击数、扫描二维码、点赞、相关推荐、"
    "热点新闻、广告、关闭窗口、Copyright、脚本写的字、— 1 —、<p>、&gt;、索引号、医疗保障局文件"
)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mixed_folder(tmp_path_factory.mktemp("mixed"))


@pytest.fixture(scope="module")
def imported(source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The folder that one uninterrupted command wrote, and what it said."""
    out = tmp_path_factory.mktemp("out") / "库"
    return out, run("import", source, "--to", out)


@pytest.fixture(scope="module")
def articles(imported: tuple[Path, Result]) -> dict[str, Article]:
    return {article.title: article for article in folder.load(imported[0])}


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_everything_bad_is_named_with_its_reason(imported: tuple[Path, Result]) -> None:
    out, result = imported
    lines = [line for line in result.stderr.splitlines() if line.startswith("跳过")]
    assert result.exit_code == 1
    assert len(lines) == len(BAD), result.stderr
    for name, reason in BAD.items():
        assert any(f"{name}：" in line and reason in line for line in lines), (name, lines)
    assert not any(out.parent.rglob("外面.txt"))


def test_everything_good_is_in(imported: tuple[Path, Result]) -> None:
    out, result = imported
    seeds = 42 if SEEDS.is_dir() else 0
    assert f"导入 {GOOD + seeds} 篇，未变 0 篇，跳过 {len(BAD)} 个文件。" in result.stdout
    assert len(list(out.glob("*.md"))) == GOOD + seeds
    assert "《生育津贴怎么领？三步就够》：没写地区" in result.stdout


@pytest.mark.parametrize(
    ("title", "place", "published", "number", "issuer"),
    [
        (
            "关于调整职工医保门诊待遇的通知",
            HUIZHOU,
            "2024-12-20",
            "惠医保发〔2024〕35号",
            "惠州市医疗保障局",
        ),
        ("惠州市异地就医备案可以在手机上办了", HUIZHOU, "2025-03-10", "", "惠州日报"),
        ("异地医保患者办理入院须知", HUIZHOU, "2024-03-15", "", "惠州市某某医院"),
        ("居民医保参保缴费须知", HUIZHOU, "2023-09-01", "", "惠州市社保中心"),
        ("门诊慢特病怎么认定", (), "2024-06-05", "", "惠州健康问答"),
        ("生育津贴怎么领？三步就够", (), "2025-03-10", "", "惠州医保"),
        (PDF_TITLE, HEFEI, "2023-12-18", "合医保发〔2023〕12号", "合肥市医疗保障局"),
        ("惠州居民医保异地备案办事指南", HUIZHOU, "2024-05-06", "", "惠州市社保中心"),
        ("门诊慢特病认定要多少天", (), "", "", ""),
        (
            "关于做好2025年度居民医保参保缴费工作的通知",
            ("安徽省", "马鞍山市"),
            "2024-09-02",
            "马医保〔2024〕21号",
            "马鞍山市医疗保障局",
        ),
        ("当涂县职工生育津贴怎么领", ("安徽省", "马鞍山市", "当涂县"), "", "", ""),
        ("长沙居民医保断缴怎么补", ("湖南省", "长沙市"), "2024-07-09", "", "长沙晚报"),
        ("和县医保电话", ("安徽省", "马鞍山市", "和县"), "2024-03-05", "", "和县医疗保障局"),
        (
            "岳阳职工医保退休年限",
            ("湖南省", "岳阳市"),
            "2023-11-20",
            "岳医保发〔2023〕6号",
            "岳阳日报",
        ),
        ("惠州职工医保家庭共济怎么办", HUIZHOU, "", "", ""),
        ("双通道药店怎么买药", (), "2024-08-01", "", ""),
    ],
)
def test_metadata(
    articles: dict[str, Article],
    title: str,
    place: tuple[str, ...],
    published: str,
    number: str,
    issuer: str,
) -> None:
    found = articles[title]
    assert (found.place, found.published) == (place, published)
    assert (found.document_number, found.source_name) == (number, issuer)
    assert not found.truncated


def test_audience_year_and_authority(articles: dict[str, Article]) -> None:
    notice = articles[PDF_TITLE]
    assert (notice.audience, notice.effective_year) == (Audience.EMPLOYEE, "2024")
    assert notice.authority is Authority.OFFICIAL
    resident = articles["关于做好2025年度居民医保参保缴费工作的通知"]
    assert (resident.audience, resident.effective_year) == (Audience.RESIDENT, "2025")
    assert articles["惠州市异地就医备案可以在手机上办了"].authority is Authority.MEDIA
    assert articles["门诊慢特病怎么认定"].authority is Authority.SITE
    assert articles["惠州职工医保家庭共济怎么办"].authority is Authority.UNVERIFIED
    assert articles["生育津贴怎么领？三步就够"].source_url == "https://mp.weixin.qq.com/s/abc"


def test_no_boilerplate_and_no_broken_line(articles: dict[str, Article]) -> None:
    for article in articles.values():
        for word in BOILERPLATE.split("、"):
            assert word not in article.body, (article.title, word)
        for line in article.body.splitlines():
            short = len(line) < 25 or line.startswith(("- ", "#"))
            assert short or article.truncated or line.endswith(tuple("。；：:")), line


def test_tables_are_readable_lines(articles: dict[str, Article]) -> None:
    def rows(title: str) -> list[str]:
        return [line for line in articles[title].body.splitlines() if line.startswith("- ")]

    assert rows("关于调整职工医保门诊待遇的通知") == [
        "- 医院等级：一级及以下；起付标准（元）：0；在职支付比例：75%；退休支付比例：80%",
        "- 医院等级：二级；起付标准（元）：100；在职支付比例：65%；退休支付比例：70%",
        "- 医院等级：三级；起付标准（元）：200；在职支付比例：55%；退休支付比例：60%",
        "- 年度限额：在职3000元，退休3600元",
    ]
    assert rows("异地医保患者办理入院须知")[1] == (
        "- 窗口：医保窗口；办理时间：周六8:00—12:00；要带的材料：身份证、社保卡、急诊证明"
    )
    assert rows(PDF_TITLE) == [
        "- 医院等级：一级；起付标准（元）：0；支付比例在职：75%；支付比例退休：80%",
        "- 医院等级：二级；起付标准（元）：100；支付比例在职：65%；支付比例退休：70%",
    ]
    assert rows("关于做好2025年度居民医保参保缴费工作的通知") == [
        "- 人员类别：特困人员；资助标准：全额资助",
        "- 人员类别：低保对象；资助标准：资助360元",
    ]


def test_the_whole_text_of_documents(articles: dict[str, Article]) -> None:
    notice = articles[PDF_TITLE].body.split("\n\n")
    assert notice[:4] == [
        "各县（市、区）医疗保障局：",
        "根据皖医保发〔2022〕9号文件，现将有关问题通知如下。",
        "## 一、待遇标准",
        RULE,
    ]
    assert notice[-11:-3] == [RULE.replace("3000", f"{n}000") for n in range(4, 12)]
    assert notice[-3:] == [
        "本通知自2024年1月1日起施行。",
        "合肥市医疗保障局",
        "二〇二三年十二月十八日",
    ]
    plain = articles["门诊慢特病认定要多少天"].body.split("\n\n")  # one paragraph over two pages
    assert plain == [RULE.replace("普通门诊", f"第{n}类门诊") for n in range(1, 13)]
    assert articles["惠州市异地就医备案可以在手机上办了"].body.count("\n2. 点“异地备案”") == 1
    assert articles["岳阳职工医保退休年限"].body == "男满30年。\n\n不够可以补。"


def test_a_second_import_changes_nothing(imported: tuple[Path, Result], source: Path) -> None:
    out, _ = imported
    before = contents(out)
    result = run("import", source, "--to", out, "--json")
    data = json.loads(result.stdout)
    assert data["imported"] == []
    assert len(data["unchanged"]) == len(before)
    assert contents(out) == before


@needs_seeds
def test_the_two_saved_pages_are_in(articles: dict[str, Article]) -> None:
    assert sum(article.source_name == "健康新闻" for article in articles.values()) == 42


def killed(work: Callable[[], object]) -> None:
    """Do the work in a process of its own, which must die of SIGKILL."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


def die_at(count: int, name: str, after: Callable[..., object]) -> None:
    """From the ``count``-th call of a method of ``Path`` on nothing runs any more."""
    calls: list[int] = []

    def counted(*arguments: object, **named: object) -> object:
        calls.append(1)
        if len(calls) == count:
            after(*arguments, **named)
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)

    real = getattr(Path, name)
    setattr(Path, name, counted)


def write_half(path: Path, text: str, encoding: str) -> None:
    path.write_bytes(text.encode(encoding)[: len(text) // 2])


@pytest.mark.parametrize(
    ("count", "method", "after"),
    [
        (1, "replace", lambda *_: None),  # written beside, not yet in its place
        (5, "write_text", write_half),  # in the middle of a file
        (14, "write_text", lambda *_, **__: None),  # between two files
    ],
)
def test_killed_and_run_again_it_ends_in_the_same_state(
    imported: tuple[Path, Result],
    source: Path,
    tmp_path: Path,
    count: int,
    method: str,
    after: Callable[..., object],
) -> None:
    def work() -> None:
        die_at(count, method, after)
        folder.import_files([source], tmp_path)

    killed(work)
    assert len(list(tmp_path.glob("*.md"))) == count - 1
    assert folder.import_files([source], tmp_path).imported
    assert contents(tmp_path) == contents(imported[0])


def test_the_command_killed_from_outside(
    imported: tuple[Path, Result], source: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "corpus", "import", str(source), "--to", str(tmp_path)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while len(list(tmp_path.glob("*.md"))) < 3 and process.poll() is None:
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    run("import", source, "--to", tmp_path)
    assert contents(tmp_path) == contents(imported[0])
