"""The real chatbot over a built index, asked the questions of files."""

from collections.abc import Sequence
from pathlib import Path

from chatbot.answer import Chatbot
from eval.answers import Outcome, ask_all
from eval.expectations import load_cases

__all__ = ["ask_files"]


def ask_files(index: Path, questions: Sequence[Path]) -> list[Outcome]:
    """Ask and judge every question of the files, with the encoder loaded.

    Args:
        index: an index folder.
        questions: questions files, see ``eval/questions/README.md``; at least one question.

    Raises:
        InputError: a questions file is damaged.
        SearchIndexError: the index cannot be used.
        ModelError: the encoder cannot be loaded.
    """
    cases = load_cases(questions)
    bot = Chatbot.open(index)
    titles = frozenset(article.title for article in bot.articles)
    bot.warm()
    return ask_all(bot, cases, titles)
