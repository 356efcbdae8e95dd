"""Answers: question, safety, dialogue, evidence, quotes, the answer ladder, the page."""

import os

# Read when numpy is loaded. Two threads of its matrix products wait for each other: an answer takes
# 51 to 55 ms of processor time with two and 27 to 35 with one, and no longer.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
