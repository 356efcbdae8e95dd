"""Evaluation: data sets, metrics, runs and reports; nothing imports it."""
