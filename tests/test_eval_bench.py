"""The parts of the bench that are not times: rows, the made-up collection, process memory."""

import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from corpus.errors import InputError, ModelError
from eval import bench_serve
from eval.__main__ import app
from eval.bench import Row, show_bench
from eval.bench_corpus import measure_corpus
from eval.bench_search import (
    large_engine,
    make_collection,
    measure_questions,
    measure_reference,
    measure_search,
)
from eval.bench_serve import free_port, measure_service, resident_megabytes
from eval.visitors import Site
from index.encoder import Encoder
from index.search import Engine


def test_a_row_knows_its_target() -> None:
    assert Row("a", "ms", 7.0, 8.0).ok is True
    assert Row("a", "ms", 9.0, 8.0).ok is False
    assert Row("a", "×", 1.2, 1.3, at_most=False).ok is False
    assert Row("a", "×", 1.2, 1.3, at_most=False).wanted == "≥ 1.3"
    assert Row("a", "ms", 9.0).ok is None
    assert Row("a", "ms", 9.0).wanted == "–"


def test_the_table_shows_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"name": "检索", "unit": "ms", "reached": 1.25, "target": 2.0, "at_most": True}
    slow = row | {"name": "启动", "reached": 3.0}
    rows = [row | {"note": "", "ok": True}, slow | {"note": "", "ok": False}]
    show_bench({"rows": rows, "machine": {"cores": 2, "load_before": 0.1}})
    assert not capsys.readouterr().err
    show_bench({"rows": rows, "machine": {"cores": 2, "load_before": 5.0}})
    shown, warned = capsys.readouterr()
    assert "机器正忙" in warned
    assert "达标" in shown
    assert "未达标" in shown
    assert "1.25" in shown


def test_the_corpus_steps_have_a_speed() -> None:
    figures = measure_corpus(1, rounds=1)
    assert len(figures) == 6
    assert all(figure > 0 for figure in figures.values())


PASSAGES = [
    ("惠州门诊怎么改", "惠州每年9月至12月可以改门诊定点，新的定点从次年1月1日起生效。"),
    ("异地就医备案", "参保人去外地看病之前，先在国家医保服务平台备案，再选就医地的定点医院。"),
]


def test_the_made_collection_is_real_words_and_near_vectors(encoder: Encoder) -> None:
    made = make_collection(PASSAGES, encoder, 7)
    again = make_collection(PASSAGES, encoder, 7)
    assert made.documents == again.documents
    assert np.array_equal(made.vectors, again.vectors)
    assert len(made.documents) == len(made.vectors) == 7
    assert np.linalg.norm(made.vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert made.documents[0][0] == made.documents[2][0] == "惠州门诊怎么改"
    assert made.documents[0][1] != made.documents[2][1]
    assert 0.9 < float(made.vectors[0] @ made.vectors[2]) < 1


def test_every_timing_has_a_median_and_a_tail(encoder: Encoder) -> None:
    made = make_collection(PASSAGES, encoder, 20)
    engine = large_engine(made)
    assert len(engine) == 20
    questions = ["门诊定点怎么改", "异地就医备案"]
    real = Engine.build(PASSAGES, encoder)
    vectors, encoding = measure_questions(real, questions)
    assert [vector.shape for vector in vectors] == [(encoder.dimension,)] * 2
    for figures in (
        encoding,
        measure_search(engine, questions, vectors, ("bm25", "dense")),
        measure_reference(made, questions),
    ):
        assert 0 < figures["p50_ms"] <= figures["p95_ms"]


def test_without_an_encoder_no_question_can_be_timed() -> None:
    with pytest.raises(ModelError, match="python -m index model"):
        measure_questions(Engine.build(PASSAGES, None), ["门诊"])


def test_memory_of_this_process() -> None:
    assert 10 < resident_megabytes(os.getpid()) < 100_000


@pytest.mark.parametrize("url", ["127.0.0.1:80", "ftp://x", "http://x:port", ""])
def test_an_address_of_a_service_that_is_none(url: str) -> None:
    with pytest.raises(InputError, match="应是 http://主机:端口"):
        Site.of(url)


def test_a_service_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    result = CliRunner().invoke(app, ["bench", "--url", url, "--out", str(tmp_path / "b.json")])
    assert (result.exit_code, result.stderr) == (1, f"{url} 没有应答，请检查服务是否在运行\n")


def test_users_of_a_service_on_this_machine_have_addresses_of_their_own() -> None:
    here, there = Site.of("http://127.0.0.1:8080"), Site.of("https://yibao.example.org")
    assert (there.port, there.tls, there.source(1)) == (443, True, None)
    assert len({here.source(n) for n in range(64)}) == 64
    assert here.url == "http://127.0.0.1:8080"


def test_a_program_that_ends_by_itself_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "app.py"
    broken.write_text("raise SystemExit(3)\n", encoding="utf-8")
    monkeypatch.setattr(bench_serve, "APP", broken)
    with pytest.raises(InputError, match="状态 3"):
        measure_service(tmp_path, ["问"])


def test_a_program_that_is_never_ready_is_given_up_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = tmp_path / "app.py"
    idle.write_text("import time\ntime.sleep(60)\n", encoding="utf-8")
    monkeypatch.setattr(bench_serve, "APP", idle)
    monkeypatch.setattr(bench_serve, "PATIENCE", 0.3)
    with pytest.raises(InputError, match="没有就绪"):
        measure_service(tmp_path, ["问"])


SERVICE = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    asked = 0

    def log_message(self, *_):
        pass

    def reply(self, value):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def do_GET(self):
        self.reply({"status": "ok"})

    def do_POST(self):
        Handler.asked += 1
        legs = ["bm25", "dense"] if Handler.asked > 2 else ["bm25"]
        self.reply({"retrieval": {"legs": legs}})

HTTPServer(("127.0.0.1", int(sys.argv[-1])), Handler).serve_forever()
"""


def test_a_service_is_timed_from_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "app.py"
    program.write_text(SERVICE, encoding="utf-8")
    monkeypatch.setattr(bench_serve, "APP", program)
    figures = measure_service(tmp_path, ["门特", "异地"])
    assert 0 < figures["page_seconds"] <= figures["bm25_answer_seconds"]
    assert figures["bm25_answer_seconds"] <= figures["hybrid_answer_seconds"] < 60
    assert figures["resident_mb"] > 5
