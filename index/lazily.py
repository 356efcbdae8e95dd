"""A sequence and a mapping whose values are fetched when they are asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar, overload

Value = TypeVar("Value")


class ByPosition(Sequence[Value]):
    """``fetch(position)`` for positions below ``count``.

    >>> list(ByPosition(3, lambda at: at * at))[1:], ByPosition(3, str)[-1]
    ([1, 4], '2')
    """

    def __init__(self, count: int, fetch: Callable[[int], Value]) -> None:
        self._range, self._fetch = range(count), fetch

    def __len__(self) -> int:
        return len(self._range)

    @overload
    def __getitem__(self, at: int) -> Value: ...
    @overload
    def __getitem__(self, at: slice) -> list[Value]: ...
    def __getitem__(self, at: int | slice) -> Value | list[Value]:
        if isinstance(at, slice):
            return [self._fetch(position) for position in self._range[at]]
        return self._fetch(self._range[at])


class ByArticle(Mapping[str, Value]):
    """``fetch(key)``, which raises ``KeyError`` for one that is not there.

    ``keys``: gives all of them; ``count``: how many they are.
    """

    def __init__(
        self, count: int, keys: Callable[[], Iterator[str]], fetch: Callable[[str], Value]
    ) -> None:
        self._count, self._keys, self._fetch = count, keys, fetch

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return self._keys()

    def __getitem__(self, key: str) -> Value:
        return self._fetch(key)
