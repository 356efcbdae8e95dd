"""Evaluation: data sets, metrics, runs and reports; nothing imports it."""

import chatbot  # noqa: F401 - its number of threads, before numpy is loaded
