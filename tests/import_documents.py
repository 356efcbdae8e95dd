"""PDF and Word documents, an archive and a folder of everything, made for the tests.

Texts and figures are made up; reportlab and python-docx write the documents.
"""

import base64
import io
import os
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Table, TableStyle

from tests import import_pages
from tests.conftest import SEEDS

FONT = "STSong-Light"
pdfmetrics.registerFont(UnicodeCIDFont(FONT))
_BODY = ParagraphStyle(
    "body", fontName=FONT, fontSize=12, leading=20, firstLineIndent=24, wordWrap="CJK"
)
_TITLE = ParagraphStyle(
    "title", parent=_BODY, fontSize=20, leading=28, firstLineIndent=0, alignment=1
)
_CENTRE = ParagraphStyle("centre", parent=_BODY, firstLineIndent=0, alignment=1)
_RIGHT = ParagraphStyle("right", parent=_BODY, alignment=2)

RULE = (
    "参保人员在定点医疗机构普通门诊就医，发生的政策范围内医疗费用，超过起付标准的部分由统筹基金按比例"
    "支付，一个年度内累计不超过3000元，其中退休人员不超过3600元。"
)
PDF_TITLE = "合肥市医疗保障局关于调整职工医保普通门诊待遇有关问题的通知"


def _page_number(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont(FONT, 9)
    canvas.drawCentredString(300, 30, f"— {document.page} —")


def pdf(flow: Sequence[Flowable]) -> bytes:
    stream = io.BytesIO()
    document = SimpleDocTemplate(stream, pagesize=A4, invariant=1)
    document.build(list(flow), onFirstPage=_page_number, onLaterPages=_page_number)
    return stream.getvalue()


def notice_pdf() -> bytes:
    """A notice with letterhead, number, a title of two lines, a table and a signature."""
    rows = [
        ["医院等级", "起付标准（元）", "支付比例", ""],
        ["", "", "在职", "退休"],
        ["一级", "0", "75%", "80%"],
        ["二级", "100", "65%", "70%"],
    ]
    lines = [
        ("FONT", (0, 0), (-1, -1), FONT, 11),
        ("GRID", (0, 0), (-1, -1), 0.5, "black"),
        ("SPAN", (2, 0), (3, 0)),
        ("SPAN", (0, 0), (0, 1)),
        ("SPAN", (1, 0), (1, 1)),
    ]
    return pdf(
        [
            Paragraph("合肥市医疗保障局文件", ParagraphStyle("head", parent=_TITLE, fontSize=26)),
            Paragraph("合医保发〔2023〕12号", _CENTRE),
            Paragraph(PDF_TITLE, _TITLE),
            Paragraph("各县（市、区）医疗保障局：", _BODY),
            Paragraph("根据皖医保发〔2022〕9号文件，现将有关问题通知如下。", _BODY),
            Paragraph("一、待遇标准", _BODY),
            Paragraph(RULE, _BODY),
            Table(rows, style=TableStyle(lines)),
            PageBreak(),
            Paragraph("二、施行时间", _BODY),
            *[Paragraph(RULE.replace("3000", f"{n}000"), _BODY) for n in range(4, 12)],
            Paragraph("本通知自2024年1月1日起施行。", _BODY),
            Paragraph("合肥市医疗保障局", _RIGHT),
            Paragraph("二〇二三年十二月十八日", _RIGHT),
        ]
    )


def guide_pdf() -> bytes:
    return pdf(
        [
            Paragraph("惠州居民医保异地备案办事指南", _TITLE),
            Paragraph("发布日期：2024年5月6日　来源：惠州市社保中心", _CENTRE),
            Paragraph(
                "出市看病以前请先备案，备案可以在手机上办，也可以到窗口办，两种办法一样有效。",
                _BODY,
            ),
            Paragraph("1. 打开手机软件，点“异地备案”。", _BODY),
            Paragraph("2. 选好就医地，上传承诺书，提交。", _BODY),
        ]
    )


def plain_pdf() -> bytes:
    """Nothing but text of one size: a title, a paragraph over two pages, no metadata."""
    return pdf(
        [
            Paragraph("门诊慢特病认定要多少天", _CENTRE),
            *[Paragraph(RULE.replace("普通门诊", f"第{n}类门诊"), _BODY) for n in range(1, 13)],
        ]
    )


def scanned_pdf() -> bytes:
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=A4, invariant=1)
    canvas.rect(100, 100, 200, 300, fill=1)
    canvas.save()
    return stream.getvalue()


def notice_docx() -> bytes:
    document = Document()
    for text in ("关于做好2025年度居民医保", "参保缴费工作的通知"):
        document.add_heading(text, level=1).alignment = WD_ALIGN_PARAGRAPH.CENTER
    document.add_paragraph("马医保〔2024〕21号")
    document.add_paragraph("各县区医疗保障局：")
    document.add_paragraph(
        "马鞍山市2025年度居民医保的个人缴费标准是每人每年400元，集中缴费期到12月底。"
    )
    document.add_heading("二、资助参保", level=2)
    table = document.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "人员类别", "资助标准"
    for who, how in (("特困人员", "全额资助"), ("低保对象", "资助360元")):
        row = table.add_row()
        row.cells[0].text, row.cells[1].text = who, how
    document.add_paragraph("马鞍山市医疗保障局")
    document.add_paragraph("2024年9月2日")
    return _docx(document)


def plain_docx() -> bytes:
    document = Document()
    document.add_paragraph("当涂县职工生育津贴怎么领")
    document.add_paragraph("生育津贴由单位向医保经办机构申请，也可以由本人申请。")
    document.add_paragraph("材料齐全的，20个工作日内发到银行卡。")
    return _docx(document)


def _docx(document: object) -> bytes:
    stream = io.BytesIO()
    document.save(stream)  # type: ignore[attr-defined]
    return stream.getvalue()


def mhtml(page: str, address: str) -> bytes:
    """A page as a browser saves it in one file."""
    content = base64.encodebytes(page.encode()).decode("ascii").replace("\n", "\r\n")
    head = (
        "From: <Saved by Blink>\r\nSnapshot-Content-Location: {0}\r\nSubject: page\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n\ttype="text/html";\r\n'
        '\tboundary="----part"\r\n\r\n------part\r\nContent-Type: text/html\r\n'
        "Content-Transfer-Encoding: base64\r\nContent-Location: {0}\r\n\r\n"
    )
    style = "------part\r\nContent-Type: text/css\r\n\r\np { color: red }\r\n------part--\r\n"
    return (head.format(address) + content + style).encode("ascii")


CSV = """标题,正文,地区,发布日期,来源,险种,文号
和县医保电话,"和县医保局的电话是0555-5555555，工作日能打通。",安徽省马鞍山市和县,2024/3/5,和县医疗保障局,,
岳阳职工医保退休年限,"<p>男满30年。</p><p>不够可以补。</p>",岳阳,2023-11-20,岳阳日报,职工,岳医保发〔2023〕6号
没有正文的一行,,岳阳,2023-11-21,,,
"""
JSONL = """{"title": "双通道药店怎么买药", "content": "先开处方再买。", "date": "2024-08-01"}
{"title": "坏行"
"""


def packed() -> bytes:
    """An archive with good files, a path that leads outside, a bomb and an image."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "政策/家庭共济.txt", "惠州职工医保家庭共济怎么办\n在手机上绑定家人就可以用。"
        )
        archive.writestr("政策/问答.jsonl", JSONL)
        archive.writestr("../外面.txt", "逃出去的题\n逃出去的字。")
        archive.writestr("炸弹.txt", "题\n" + "零" * 3_000_000)
        archive.writestr("章.png", b"\x89PNG\r\n\x1a\n" + bytes(40))
        archive.writestr("内层.zip", b"PK\x05\x06" + bytes(18))
    return stream.getvalue()


TXT = """长沙居民医保断缴怎么补
发布时间：2024-07-09　来源：长沙晚报
断缴三个月以内补上的，待遇不中断。
"""
BAD = {
    "坏.pdf": "PDF 坏了",
    "扫描.pdf": "只有图片",
    "影像.iso.txt": "文件太大（200 MB）",
    "照片.jpg": "是图片",
    "外面.txt": "不安全",
    "炸弹.txt": "压缩炸弹",
    "章.png": "是图片",
    "内层.zip": "先解开外面一层",
    "表.csv": "第 4 行：只有标题，没有正文",
    "问答.jsonl": "第 2 行不是合格的 JSON 对象",
}


def mixed_folder(root: Path) -> Path:
    """Everything that an operator may have, in one folder; the two saved pages where there are."""
    files: dict[str, bytes] = {
        "政府/通知.html": import_pages.NOTICE.encode(),
        "新闻.htm": import_pages.NEWS.encode("utf-8-sig"),
        "医院.html": import_pages.HOSPITAL.encode("utf-16"),
        "旧站.html": import_pages.OLD.encode("gb18030"),
        "问答页.html": import_pages.LINKED.encode(),
        "公众号.mhtml": mhtml(import_pages.WECHAT, "https://mp.weixin.qq.com/s/abc"),
        "文件/通知.pdf": notice_pdf(),
        "文件/指南.pdf": guide_pdf(),
        "文件/慢特病.pdf": plain_pdf(),
        "文件/缴费.docx": notice_docx(),
        "文件/生育.docx": plain_docx(),
        "断缴.txt": TXT.encode("gb18030"),
        "表.csv": CSV.encode("gb18030"),
        "包.zip": packed(),
        "坏.pdf": notice_pdf()[:4000],
        "扫描.pdf": scanned_pdf(),
        "照片.jpg": b"\xff\xd8\xff\xe0" + bytes(100),
    }
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (root / "影像.iso.txt").touch()
    os.truncate(root / "影像.iso.txt", 200 * 1024 * 1024)  # sparse
    for page in SEEDS.glob("*.txt") if SEEDS.is_dir() else ():
        shutil.copy(page, root / page.name)
    return root
