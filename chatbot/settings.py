"""What an operator may set: environment ``YIBAO_*``, then a settings file, then the defaults.

``deploy/README.md`` and ``python app.py --help`` show the same list; a test compares them.
"""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chatbot.database import is_server
from corpus.errors import InputError

PREFIX = "YIBAO_"
TOKEN_LENGTH = 16  # characters of an operator's token at least


class Settings(BaseSettings):
    """The settings of the service; each field's description is what the operator reads."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    host: Annotated[str, Field(description="监听地址；0.0.0.0 表示所有网卡")] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535, description="端口")] = 7860
    index: Annotated[
        Path | None, Field(description="索引目录，由 python -m index build 生成；默认用自带的")
    ] = None
    rate_per_minute: Annotated[
        int,
        Field(ge=0, le=100_000, description="同一地址每分钟最多问几次；0 表示不限（只适合内网）"),
    ] = 600
    trusted_proxies: Annotated[
        str, Field(description="反向代理的地址，逗号分开；只有它们报的来访地址才算数")
    ] = ""
    feedback: Annotated[
        SecretStr,
        Field(
            description="反馈数据库：一个文件（SQLite），或 postgresql://用户:密码@主机/库；"
            "不设就不保存反馈"
        ),
    ] = SecretStr("")
    shared_rate: Annotated[
        bool,
        Field(
            description="多个进程合起来数同一地址的提问，记在 YIBAO_FEEDBACK 的 PostgreSQL 里"
            "（地址只存带密钥的散列）"
        ),
    ] = False
    keep_questions: Annotated[
        bool, Field(description="是否保存问题原文（隐去证件和电话号码），供改进用")
    ] = False
    retention_days: Annotated[
        int, Field(ge=1, le=3650, description="反馈和问题保存几天，到期删除")
    ] = 90
    operator_token: Annotated[
        SecretStr,
        Field(description=f"管理页 /operator 的口令，至少 {TOKEN_LENGTH} 个字符；不设就没有管理页"),
    ] = SecretStr("")
    mcp: Annotated[
        bool,
        Field(description="在 /mcp 给 AI 助手开一个入口（MCP 协议）；要先安装依赖组 mcp"),
    ] = False
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="日志级别")
    ] = "info"

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, value: str) -> str:
        parts = [part.strip() for part in value.split(",") if part.strip()]
        for part in parts:
            ipaddress.ip_network(part, strict=False)  # ValueError if it is none
        return ",".join(parts)

    @field_validator("shared_rate")
    @classmethod
    def _has_a_server(cls, value: bool, info: ValidationInfo) -> bool:
        feedback = info.data.get("feedback")
        if value and not (feedback and is_server(feedback.get_secret_value())):
            msg = "no server"
            raise ValueError(msg)
        return value

    @field_validator("operator_token")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < TOKEN_LENGTH:
            msg = "too short"
            raise ValueError(msg)
        return value


def read_settings(file: Path | None = None, **chosen: object) -> Settings:
    """The settings; ``chosen`` values (a command line's) go first, ``None`` means not chosen.

    Args:
        file: lines ``YIBAO_PORT=8000``; an unknown name in it is refused.
        chosen: field names with values.

    Raises:
        InputError: a value does not fit, or the file cannot be read.
    """
    if file is not None:
        _check_file(file)
    given = {name: value for name, value in chosen.items() if value is not None}
    try:
        return Settings(_env_file=file, **given)  # type: ignore[call-arg, arg-type]
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        field = Settings.model_fields[name]
        msg = f"设置 {PREFIX}{name.upper()} 的值不对。它是：{field.description}{_range(name)}。"
        raise InputError(msg) from error


def _range(name: str) -> str:
    bounds = {
        key: getattr(rule, key)
        for rule in Settings.model_fields[name].metadata
        for key in ("ge", "le")
        if hasattr(rule, key)
    }
    return f"（{bounds['ge']} 到 {bounds['le']} 的整数）" if bounds else ""


def _check_file(file: Path) -> None:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"读不了设置文件 {file}，请检查路径，并存成 UTF-8。"
        raise InputError(msg) from error
    known = {name for name, _, _ in settings_rows()}
    for number, line in enumerate(lines, 1):
        name = line.partition("=")[0].strip().upper()
        if name and not name.startswith("#") and name not in known:
            msg = f"设置文件 {file} 第 {number} 行不认识，应是 YIBAO_名称=值 的样子。"
            raise InputError(msg)


def settings_rows() -> list[tuple[str, str, str]]:
    """Every setting as (environment name, default, what it is), in the order of the class."""
    return [
        (f"{PREFIX}{name.upper()}", _shown(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return "true" if default else "false"
    return "" if default is None or isinstance(default, SecretStr) else str(default)
