"""Answers: question, safety, dialogue, evidence, quotes, the answer ladder, the page."""
