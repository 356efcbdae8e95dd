"""What was fetched from elsewhere, kept until the memory for it is full."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """Values by key, the longest unused forgotten first; may be asked from many threads.

    Args:
        load: fetches many at once; keys that it leaves out are not there.
        size: bytes of a value, about.
        most: bytes to keep in all.

    >>> kept = Kept(lambda keys: {key: key * 2 for key in keys}, size=lambda _: 1, most=2)
    >>> kept.get([1, 2, 3]), len(kept)
    ({1: 2, 2: 4, 3: 6}, 2)
    """

    def __init__(
        self,
        load: Callable[[list[Key]], Mapping[Key, Value]],
        size: Callable[[Value], int],
        most: int,
    ) -> None:
        self._load, self._size, self._most = load, size, most
        self._values: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._values)

    def get(self, keys: Iterable[Key]) -> dict[Key, Value]:
        """The values of those keys that are there; what is not kept is fetched in one go."""
        wanted = list(dict.fromkeys(keys))
        found: dict[Key, Value] = {}
        with self._lock:
            for key in wanted:
                if key in self._values:
                    self._values.move_to_end(key)
                    found[key] = self._values[key][0]
        missing = [key for key in wanted if key not in found]
        if missing:
            loaded = self._load(missing)
            self._keep(loaded)
            found |= loaded
        return found

    def _keep(self, loaded: Mapping[Key, Value]) -> None:
        with self._lock:
            for key, value in loaded.items():
                if key in self._values:
                    continue
                size = self._size(value)
                self._values[key] = (value, size)
                self._bytes += size
            while self._bytes > self._most:
                _, (_, size) = self._values.popitem(last=False)
                self._bytes -= size
