"""Search: terms, BM25, encoder, FAISS, fusion, store."""
