"""Structured logs: one JSON object a line on stderr, without questions, numbers masked.

Other libraries' records pass the same way. Of an exception only its type and where it arose are
written: its message may hold what a citizen typed.
"""

import logging
import sys
import traceback
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from chatbot.masking import mask


def configure_logs(level: str) -> None:
    """Send every log record of the process through the masks; call once, before serving.

    Args:
        level: debug, info, warning or error.
    """
    shared = [structlog.stdlib.add_log_level, _only_where, masked]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("httpx", "httpcore", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)


def log(event: str, level: str = "info", **fields: object) -> None:
    """Write one record; questions do not belong into ``fields``."""
    getattr(structlog.get_logger("yibao"), level)(event, **fields)


def masked(_: WrappedLogger, __: str, fields: EventDict) -> EventDict:
    """Mask personal data in every text of a record.

    >>> masked(None, "", {"event": "打 13800138000", "ms": 12345678})
    {'event': '打 【号码】', 'ms': 12345678}
    """
    return {name: _masked_value(name, value) for name, value in fields.items()}


def _masked_value(name: str, value: object) -> object:
    if name.startswith("_") or isinstance(value, int | float) or value is None:
        return value  # structlog's own, and plain numbers
    return mask(value if isinstance(value, str) else str(value))


def _only_where(_: WrappedLogger, __: str, fields: EventDict) -> EventDict:
    """Replace an exception by its type and the places it passed through."""
    given: Any = fields.pop("exc_info", None)
    record = fields.get("_record")
    if record is not None:
        given = given or record.exc_info
        record.exc_info = record.exc_text = None
    error = given[1] if isinstance(given, tuple) else given
    error = sys.exc_info()[1] if error is True else error
    if isinstance(error, BaseException):
        fields.update(describe(error))
    return fields


def describe(error: BaseException) -> dict[str, str]:
    """The type of an exception and its frames, without its message."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    where = " < ".join(f"{frame.name} {_short(frame.filename)}:{frame.lineno}" for frame in frames)
    return {"error": type(error).__name__, "where": where}


def _short(filename: str) -> str:
    return "/".join(filename.split("/")[-2:])
