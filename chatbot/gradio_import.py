"""Import Gradio without the type stubs that it writes for every component at each start.

On import Gradio parses the source of each component class, renders a ``.pyi`` and compares it with
the file beside it, for editors only: half of the import's processor time (2.6 s instead of 5.0 s),
and it would like to write into ``site-packages``. It leaves out classes whose file is not known.
"""

import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

# Read when Gradio's Blocks are built. Of each answer its queue keeps a record, up to 10,000, and
# after each answer it makes a table of them all (1 ms, at last 6), which nobody is shown.
_SETTINGS = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": str(10**9),
    "GRADIO_ANALYTICS_MAX_EVENTS": "1",
}


def quieten_gradio() -> None:
    """Tell Gradio to measure and report nothing."""
    os.environ.update(_SETTINGS)


def import_gradio() -> None:
    """Import Gradio, its telemetry off; a second call does nothing."""
    quieten_gradio()
    with _files_unknown("gradio"):
        import gradio.utils
    # Around each call of a handler Gradio would load matplotlib where it is installed (2 s, 40 MB).
    gradio.utils.MatplotlibBackendMananger = nullcontext  # type: ignore[assignment, misc]


@contextmanager
def _files_unknown(package: str) -> Iterator[None]:
    """``inspect.getfile`` finds no file of the package's classes while the block runs."""
    real = inspect.getfile

    def getfile(thing: object) -> str:
        if isinstance(thing, type) and thing.__module__.startswith(package):
            raise OSError
        return real(thing)  # type: ignore[arg-type]

    inspect.getfile = getfile  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.getfile = real
