"""Articles: records, readers, sentences, chunks, places, lint."""

import logging

import jieba

jieba.setLogLevel(logging.WARNING)  # it tells of its dictionary on stderr otherwise
