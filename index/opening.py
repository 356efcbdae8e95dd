"""Which index is used: the engine that ``MILVUS_URI`` names, else a folder."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from index import store
from index.manifest import current_name
from index.search import Engine, Index

if TYPE_CHECKING:
    from index.remote import Remote

URI, TOKEN = "MILVUS_URI", "MILVUS_TOKEN"


def open_chosen(folder: Path = store.DEFAULT) -> Index:
    """Open the index of the engine that the environment names, else the folder's.

    Raises:
        SearchIndexError: the index is missing, stale or damaged, or the engine does not answer.
        InputError: the engine's address or token is wrong.
    """
    uri = os.environ.get(URI, "").strip()
    return open_engine(uri, os.environ.get(TOKEN, "")) if uri else store.open_index(folder)


def open_engine(uri: str, token: str = "") -> Index:
    """Open the version in use of an engine; see ``open_chosen``."""
    from index.remote import Remote

    return open_remote(Remote(uri, token))


def open_remote(remote: "Remote") -> Index:
    """Open the version in use over a connection; see ``open_chosen``."""
    from index import versions
    from index.milvus import Milvus

    version = versions.checked(remote)
    return Index(Engine(Milvus(remote, version), None), version.encoder, version.model)


def name_in_use(folder: Path = store.DEFAULT) -> str:
    """The name of the version in use; empty if there is none or its engine does not answer."""
    uri = os.environ.get(URI, "").strip()
    if not uri:
        return current_name(folder)
    from corpus.errors import SearchIndexError
    from index import versions
    from index.remote import Remote

    remote = Remote(uri, os.environ.get(TOKEN, ""))
    try:
        return versions.current(remote).name
    except SearchIndexError:
        return ""
    finally:
        remote.close()
