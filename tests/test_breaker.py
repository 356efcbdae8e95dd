"""The breaker: opens after failures that go on, lets one through after each pause."""

from index.breaker import Breaker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def make(failures: int = 3, least: float = 0.5) -> tuple[Breaker, Clock]:
    clock = Clock()
    return Breaker(failures, least, 2.0, clock), clock


def test_failures_that_go_on_open_it_and_a_success_closes_it() -> None:
    breaker, clock = make()
    for _ in range(3):
        assert breaker.allows()
        began, clock.now = clock.now, clock.now + 0.3
        breaker.failed(began)
    assert breaker.is_open
    assert not breaker.allows()
    clock.now += 2.0
    assert [breaker.allows() for _ in range(3)] == [True, False, False]  # one tries
    breaker.failed(clock.now)
    assert not breaker.allows()
    clock.now += 2.0
    assert breaker.allows()
    breaker.worked()
    assert all(breaker.allows() for _ in range(3))


def test_many_that_fail_at_one_moment_do_not_open_it() -> None:
    breaker, clock = make()
    for _ in range(20):
        breaker.failed(clock.now)
    assert breaker.allows()
    breaker.worked()
    clock.now += 9
    breaker.failed(clock.now)
    assert breaker.allows()


def test_a_try_that_never_comes_back_is_replaced() -> None:
    breaker, clock = make(failures=1, least=0)
    breaker.failed(clock.now)
    clock.now += 2.0
    assert breaker.allows()
    clock.now += 2.0
    assert breaker.allows()
