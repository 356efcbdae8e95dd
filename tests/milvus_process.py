"""The engine inside milvus-lite, for tests."""

import pytest

from eval.bench_serve import free_port
from eval.milvus_lite import MilvusProcess, is_installed

__all__ = ["MilvusProcess", "free_port", "needs_milvus"]

needs_milvus = pytest.mark.skipif(
    not is_installed(), reason="needs the optional group milvus: pip install '.[milvus]'"
)
