"""Command line of the chatbot: ask one question or a file of them; export the feedback."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm

from chatbot.answer import Chatbot
from chatbot.feedback import export
from chatbot.records import Answer
from corpus.command import citizen_errors
from corpus.errors import InputError
from corpus.folder import write_atomically
from index import store

app = typer.Typer(help="问答（chatbot: ask, feedback）", no_args_is_help=True)
feedback_commands = typer.Typer(help="访客的反馈（feedback: export）", no_args_is_help=True)
app.add_typer(feedback_commands, name="feedback")


@app.callback()
def main() -> None:
    """医保问答：只引用文章原句，注明出处（quoted, cited answers)."""


def _row(line: str, number: int, file: Path) -> dict[str, Any]:
    """One line of a questions file; raises ``InputError`` naming the line."""
    try:
        row = json.loads(line)
        turns = row["turns"] if "turns" in row else [row["question"]]
        if not isinstance(turns, list) or not turns or not all(isinstance(t, str) for t in turns):
            raise TypeError
    except (ValueError, KeyError, TypeError) as error:
        form = '{"id": …, "question": …} 或 {"id": …, "turns": […]}'
        msg = f"{file} 第 {number} 行应是 {form}"
        raise InputError(msg) from error
    return {"id": row.get("id"), "turns": turns, "region": str(row.get("region") or "")}


def read_rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a questions file (JSON Lines)."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"读不了问题文件 {file}，请检查路径，并存成 UTF-8"
        raise InputError(msg) from error
    return [_row(line, n, file) for n, line in enumerate(lines, 1) if line.strip()]


def ask_row(bot: Chatbot, row: dict[str, Any]) -> Answer:
    """The answer to the last turn of a row."""
    *history, question = row["turns"]
    return bot.ask(question, region=row["region"], history=history)


def _write(out: Path, text: str) -> None:
    """Write a file of answers; raises ``InputError`` if that is not possible."""
    try:
        write_atomically(out, text)
    except OSError as error:
        msg = f"写不了答案文件 {out}：{error.strerror}，请检查目录和权限"
        raise InputError(msg) from error


@app.command()
@citizen_errors
def ask(
    question: Annotated[str | None, typer.Argument(help="一个问题")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="问题文件，一行一个 JSON")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="答案写到哪个文件")] = None,
    index: Annotated[Path, typer.Option("--index", help="索引目录")] = store.DEFAULT,
    region: Annotated[str, typer.Option("--region", help="参保地，例如 惠州")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="只输出一个 JSON 对象")] = False,
) -> None:
    """回答一个问题，或一个文件里的所有问题（answer one question or a file of them)."""
    if (question is None) == (file is None) or (file is None) != (out is None):
        typer.echo("请给一个问题，或同时给 --file 和 --out。", err=True)
        raise typer.Exit(2)
    rows = read_rows(file) if file else []
    if out is not None and not out.parent.is_dir():  # better told now than after all questions
        msg = f"找不到目录 {out.parent}，请先建好再试"
        raise InputError(msg)
    bot = Chatbot.open(index)
    bot.warm()
    if question is not None:
        answer = bot.ask(question, region=region)
        typer.echo(json.dumps(answer.to_json(), ensure_ascii=False) if as_json else answer.text)
    elif out is not None:
        answers = [
            json.dumps(
                ask_row(bot, row | {"region": row["region"] or region}).to_json(row["id"]),
                ensure_ascii=False,
            )
            for row in tqdm(rows, unit="题", file=sys.stderr, disable=None)
        ]
        _write(out, "\n".join(answers) + "\n")
        typer.echo(f"回答了 {len(answers)} 个问题，写在 {out}。")


@feedback_commands.command("export")
@citizen_errors
def export_feedback(
    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            help="反馈数据库，文件或 postgresql:// 地址；默认是设置 YIBAO_FEEDBACK 的那个",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="写到哪个目录")] = Path("feedback-export"),
) -> None:
    """导出反馈：一张评审表（CSV）和可以放进题库的问题（JSONL）（export the feedback)."""
    from chatbot.settings import read_settings

    source = database or read_settings().feedback.get_secret_value()
    if not source:
        msg = "不知道反馈在哪里，请用 --database 指出数据库。"
        raise InputError(msg)
    verdicts, questions = export(source, out)
    typer.echo(f"{verdicts} 条评价、{questions} 个待补答案的问题，写在 {out}。")


if __name__ == "__main__":
    app()
