"""Services that run already, side by side: ``python -m eval bench --load --url … --url …``.

Such as one app server and the proxy before four. At each number of users all addresses are measured
one after the other, so that another program's load falls on all of them.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from os import cpu_count
from pathlib import Path
from typing import Any

from tqdm import tqdm

from eval.bench_load import ENTRIES, USERS, Plan, measure, mixed_questions
from eval.console import show_table
from eval.results import make_folder, write_json
from eval.visitors import Site, queue_client


def bench_fleet(urls: Sequence[str], out: Path, *, quick: bool = False) -> dict[str, Any]:
    """Measure both entries of each address at 1, 8, 32 and 64 users.

    Args:
        urls: ``http://host:port``; on 127.0.0.1 each user asks from an address of its own.
        out: the JSON file, written anew after each measurement.
        quick: shorter measurements.

    Raises:
        InputError: an address is none, or nobody answers there.
    """
    sites = [Site.of(url) for url in urls]
    for site in sites:
        queue_client(site)  # nobody there is told before anything is measured
    make_folder(out.parent)
    questions, seconds = mixed_questions(), Plan.of(quick=quick).seconds
    steps = [(entry, users, site) for entry in ENTRIES for users in USERS for site in sites]
    report: dict[str, Any] = {"cores": cpu_count(), "rows": []}
    for entry, users, site in (bar := tqdm(steps, unit="", leave=False, disable=None)):
        bar.set_description(f"{entry} {users}")
        load = asyncio.run(measure(entry, users, site, questions, seconds))
        report["rows"].append({"url": site.url} | asdict(load))
        write_json(out, report)
    return report


def show_fleet(report: dict[str, Any]) -> None:
    """Print the table; throughput also as a multiple of the first address's."""
    first = {
        (row["entry"], row["users"]): row["per_second"]
        for row in reversed(report["rows"])
        if row["url"] == report["rows"][0]["url"]
    }
    rows = [
        (
            row["url"],
            row["entry"],
            *(str(row[name]) for name in ("users", "answers", "errors")),
            f"{row['p50_ms']:.0f}",
            f"{row['p95_ms']:.0f}",
            f"{row['per_second']:.1f}",
            f"{row['per_second'] / (first[row['entry'], row['users']] or 1):.2f}",
            f"{row['load']:.1f}",
        )
        for row in report["rows"]
    ]
    head = ("地址", "入口", "用户", "答案", "错误", "p50 ms", "p95 ms", "每秒", "是头一个的几倍")
    show_table((*head, "负载"), rows)
