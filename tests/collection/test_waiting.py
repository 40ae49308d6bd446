"""Which artwork a worker of a cluster is given next."""

from collections import defaultdict
from random import Random
from time import perf_counter

from hypothesis import given
from hypothesis import strategies as st

from impasto.collection.task import Material, Task
from impasto.collection.waiting import Waiting
from impasto.settings import OutputSettings, PaintSettings

SETTINGS, OUTPUT = PaintSettings(), OutputSettings()


def task(photo: int, style: int) -> Task:
    painting = Material(f"{style}.png", f"style {style}")
    subject = Material(f"{photo}.jpg", f"photo {photo}")
    return Task(f"{photo}--{style}.png", subject, ((painting, 1.0),), None, SETTINGS, OUTPUT)


@given(
    photos=st.lists(st.integers(1, 6), min_size=1, max_size=8),
    workers=st.integers(1, 5),
    seed=st.integers(0, 2**16),
)
def test_each_is_given_out_once_and_no_photo_has_two_workers_before_all_are_begun(
    photos: list[int], workers: int, seed: int
) -> None:
    tasks = [task(photo, style) for photo, styles in enumerate(photos) for style in range(styles)]
    waiting, random = Waiting(tasks), Random(seed)
    last: dict[int, Material | None] = dict.fromkeys(range(workers))
    who: dict[Material, set[int]] = defaultdict(set)
    given_out = []
    while waiting:
        worker = random.randrange(workers)
        found = waiting.take(last[worker])
        last[worker] = found.photo
        who[found.photo].add(worker)
        given_out.append(found)
        if len(who) < len(photos):
            assert all(len(each) == 1 for each in who.values())
    assert sorted(found.name for found in given_out) == sorted(each.name for each in tasks)


def test_a_worker_without_photos_of_its_own_helps_where_most_is_left() -> None:
    waiting = Waiting(
        [task(0, style) for style in range(3)] + [task(1, style) for style in range(6)]
    )
    first, second = waiting.take(None), waiting.take(None)
    assert (first.photo.path, second.photo.path) == ("0.jpg", "1.jpg")
    assert waiting.take(None).photo == second.photo


def test_what_comes_back_is_the_next_one() -> None:
    waiting = Waiting([task(0, 0), task(0, 1)])
    lost = waiting.take(None)
    waiting.put_back(lost)
    assert waiting.take(Material("another.jpg", "")) == lost


def test_a_hundred_thousand_are_given_out_in_seconds() -> None:
    waiting = Waiting(task(photo, style) for photo in range(2500) for style in range(40))
    last, began = None, perf_counter()
    while waiting:
        last = waiting.take(last).photo
    assert perf_counter() - began < 5
