"""What Prometheus may read at ``/metrics``: counts and times, nothing that anybody typed."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The figures of one service, in a registry of their own."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.answers = Counter("yibao_answers", "Answers given.", ["kind"], registry=registry)
        self.failures = Counter("yibao_failures", "Answers that failed.", registry=registry)
        self.seconds = Histogram(
            "yibao_answer_seconds", "Time of an answer.", buckets=_SECONDS, registry=registry
        )
        self.refused = Counter(
            "yibao_refused", "Requests refused at the door.", ["reason"], registry=registry
        )
        self.swaps = Counter(
            "yibao_index_swaps", "Newly built indexes opened.", ["result"], registry=registry
        )
        self.articles = Gauge("yibao_articles", "Articles in the index.", registry=registry)
        self.engine = Gauge(
            "yibao_engine_up", "1 when the search engine answers.", registry=registry
        )
        self.ready = Gauge("yibao_ready", "1 when both legs search.", registry=registry)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)
