"""The table of targets: what DESIGN asks for, what this machine reached, in one run.

Each ``_…_rows`` function measures one subject and gives its lines of the table; ``run_bench`` runs
them all. Nothing here is typed by hand: a figure that could not be measured shows as missing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from eval.answers import Outcome, ask_all, latency, summary
from eval.bench_encoder import measure_encoder
from eval.bench_search import large_engine, make_collection, measure_reference, measure_search
from eval.bench_serve import measure_service
from eval.console import show_table
from eval.expectations import load_cases
from eval.opened import ask_files
from eval.results import make_folder, write_json
from index import store
from index.cache import CachedEncoder
from index.encoder import Encoder, load_encoder

__all__ = ["Row", "run_bench", "show_bench"]
