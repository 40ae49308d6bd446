"""Locks of folders, and who is said to hold them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from impasto.lock import Holder, Lock, holder


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[Lock]:
    made = Lock(tmp_path / "lock")
    yield made
    made.release()


def test_a_lock_tells_who_holds_it(lock: Lock) -> None:
    assert holder(lock.path) is None
    assert lock.acquire(3)
    assert holder(lock.path) == Holder(os.getpid(), 3)
    assert not Lock(lock.path).acquire(1)
    lock.release()
    assert holder(lock.path) is None
    assert lock.acquire(1)


def test_a_lock_that_does_not_tell_yet_is_held(lock: Lock) -> None:
    assert lock.acquire(1)
    lock.path.write_bytes(b"")
    assert holder(lock.path) == Holder()
    assert str(Holder()) == "another process"
