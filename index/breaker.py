"""A breaker: what has failed for a while is left alone for some seconds, then tried by one."""

import threading
from collections.abc import Callable
from math import inf
from time import monotonic


class Breaker:
    """Opens after failures in a row; open, it lets nobody through but one try after each pause.

    Args:
        failures: how many in a row open it.
        least: seconds since the first of them began; many clients fail at the same moment when one
            connection breaks, and that is over with the next try.
        pause: seconds between two tries while it is open.
        clock: seconds.
    """

    def __init__(
        self, failures: int, least: float, pause: float, clock: Callable[[], float] = monotonic
    ) -> None:
        self.failures = failures
        self.least = least
        self.pause = pause
        self.clock = clock
        self._lock = threading.Lock()
        self._count, self._since, self._until = 0, inf, 0.0
        self._open = False

    @property
    def is_open(self) -> bool:
        """Whether what it guards counts as gone."""
        return self._open

    def allows(self) -> bool:
        """Whether to try now; while it is open the one who may counts for a pause."""
        with self._lock:
            if not self._open:
                return True
            if self.clock() < self._until:
                return False
            self._until = self.clock() + self.pause
            return True

    def worked(self) -> None:
        """A try has worked: it closes."""
        with self._lock:
            self._count, self._since, self._open = 0, inf, False

    def failed(self, began: float) -> None:
        """A try that began at ``began`` (of ``clock``) has failed."""
        with self._lock:
            now = self.clock()
            self._count, self._since = self._count + 1, min(self._since, began)
            if self._open or (self._count >= self.failures and now - self._since >= self.least):
                self._open, self._until = True, now + self.pause
