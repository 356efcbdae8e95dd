"""A bound on the time and memory that reading one document may take."""

import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from corpus.errors import SkippedFile

SECONDS = 60  # a long notice of 200 pages takes some 20
MEMORY = 2 * 1024**3  # bytes beyond what the program holds already
_STATM = Path("/proc/self/statm")


@contextmanager
def bounded(seconds: float = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """Stop work that takes too long (main thread only) or too much memory (Linux only).

    Raises:
        SkippedFile: it was stopped.
    """
    timed = threading.current_thread() is threading.main_thread()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if _STATM.exists() and soft == resource.RLIM_INFINITY:
        held = int(_STATM.read_text("ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + memory, hard))
    before = signal.signal(signal.SIGALRM, _too_slow) if timed else None
    if timed:
        signal.setitimer(signal.ITIMER_REAL, seconds, 1)  # again: a library may swallow it
    try:
        yield
    except MemoryError as error:
        msg = "太复杂，读它要的内存太多。请把它拆小，或另存为文本再导入"
        raise SkippedFile(msg) from error
    finally:
        if timed:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _too_slow(signum: int, frame: FrameType | None) -> None:
    msg = "太复杂，读的时间太长。请把它拆小，或另存为文本再导入"
    raise SkippedFile(msg)
