"""sentence-transformers without what only training needs."""

import subprocess
import sys

from tests.conftest import ROOT

CODE = """
import sys
from chatbot.encoder_import import import_sentence_transformers
import torch
before = torch.distributed.is_available, torch.compiler.disable
import_sentence_transformers()
import_sentence_transformers()
heavy = "sklearn sympy torch._dynamo torch._inductor torch.distributed.tensor scipy.stats".split()
print([name for name in heavy if name in sys.modules])
print(before == (torch.distributed.is_available, torch.compiler.disable))
from sentence_transformers.util.similarity import pairwise_distances
print(pairwise_distances([[0.0, 1.0]], [[2.0, 1.0]], metric="manhattan").tolist())
print(torch._dynamo.__name__)
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer
"""


def test_it_leaves_out_what_is_heavy_and_everything_still_comes_when_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:-1] == ["[]", "True", "[[2.0]]", "torch._dynamo"]
