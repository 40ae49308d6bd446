import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from impasto.limits import (
    V1,
    V2,
    container_memory,
    control_groups,
    process_memory,
    process_status,
)

Tree = dict[str, dict[str, object]]
"""{folder below the mount: {file: what is in it}}."""

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits of memory")


@pytest.fixture
def left(tmp_path: Path) -> Callable[..., int | None]:
    """What control groups leave, from what /proc says and the files below a mount."""

    def look(kind: str, own: str, root: str, tree: Tree) -> int | None:
        mount = tmp_path / "mount"
        for folder, files in tree.items():
            (mount / folder).mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                (mount / folder / name).write_text(f"{content}\n")
        line = f"4:cpu,memory:{own}" if kind == "cgroup" else f"0::{own}"
        (tmp_path / "cgroup").write_text(f"7:pids:/elsewhere\n{line}\n")
        options = "rw,cpu,memory" if kind == "cgroup" else "rw,nsdelegate"
        (tmp_path / "mountinfo").write_text(
            "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
            "28 27 0:30 / /x rw - tmpfs  rw\n"  # mounted with an empty source
            f"34 31 0:31 / {tmp_path}/pids rw shared:9 - cgroup cgroup rw,pids\n"
            f"35 31 0:32 {root} {mount} rw shared:10 - {kind} {kind} {options}\n"
        )
        return container_memory(tmp_path)

    return look


def v2(limit: object, used: object, idle: object = 0, **files: object) -> dict[str, object]:
    stat = f"anon 5\ninactive_file {idle}\nactive_file 77"
    names = {name.replace("_", "."): content for name, content in files.items()}
    return {"memory.max": limit, "memory.current": used, "memory.stat": stat} | names


def v1(limit: object, used: object, idle: object = 0) -> dict[str, object]:
    stat = f"inactive_file 3\ntotal_inactive_file {idle}"
    return {
        "memory.limit_in_bytes": limit,
        "memory.usage_in_bytes": used,
        "memory.stat": stat,
    }


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({"a/b": v2(1000, 300)}, 700),
        ({"a/b": v2(1000, 300, idle=100)}, 800),
        ({"a/b": v2(1000, 300, idle=900)}, 1000),
        ({"a/b": v2("max", 300)}, None),
        ({"a/b": v2(1000, 1200)}, 0),
        ({"a/b": v2("max", 300, memory_high=500)}, 200),
        ({"a/b": v2("max", 300), "a": v2(900, 500), ".": {"memory.stat": "anon 5"}}, 400),
        ({"a/b": v2(2000, 300), "a": v2(1000, 800), ".": v2(700, 650)}, 50),
        ({"other": v2(1, 1)}, None),
        ({"a/b": {"memory.max": 600}}, 600),
        ({"a/b": {"memory.max": "", "memory.current": 3}}, None),
        ({"a/b": v2(1000, 300) | {"memory.stat": "inactive_file\nnonsense"}}, 700),
        ({}, None),
    ],
)
def test_version_2(left: Callable[..., int | None], tree: Tree, expected: int | None) -> None:
    assert left("cgroup2", "/a/b", "/", tree) == expected


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({"a/b": v1(1000, 300, idle=50)}, 750),
        ({"a/b": v1(9223372036854771712, 300)}, None),
        ({"a/b": v1(9223372036854771712, 300), "a": v1(800, 700, idle=20)}, 120),
        ({"a/b": v1(1000, 300), ".": v1(9223372036854771712, 5000)}, 700),
    ],
)
def test_version_1(left: Callable[..., int | None], tree: Tree, expected: int | None) -> None:
    assert left("cgroup", "/a/b", "/", tree) == expected


@pytest.mark.parametrize(
    ("own", "root"),
    [
        ("/docker/abc", "/docker/abc"),  # the mount shows the container's own group
        ("/docker/abc", "/"),  # the kernel names it as seen from outside
        ("/docker/abc", "/docker/xyz"),  # or the mount is of another container
        ("/", "/"),  # a namespace of its own
        ("/../abc", "/"),  # moved out of its namespace
        ("/", "/../.."),
    ],
)
@pytest.mark.parametrize(("kind", "files"), [("cgroup", v1), ("cgroup2", v2)])
def test_containers(
    left: Callable[..., int | None],
    own: str,
    root: str,
    kind: str,
    files: Callable[..., dict[str, object]],
) -> None:
    assert left(kind, own, root, {".": files(1000, 400)}) == 600


def test_a_group_inside_a_container(left: Callable[..., int | None]) -> None:
    tree = {"job": v2("max", 300), ".": v2(1000, 400)}
    assert left("cgroup2", "/docker/abc/job", "/docker/abc", tree) == 600


def test_both_versions_at_once(tmp_path: Path) -> None:
    (tmp_path / "cgroup").write_text("4:memory:/a\n0::/b\n")
    (tmp_path / "mountinfo").write_text(
        "35 31 0:32 / /old rw - cgroup cgroup rw,memory\n41 31 0:38 / /new rw - cgroup2 none rw\n"
    )
    assert list(control_groups(tmp_path)) == [
        (Path("/old/a"), V1),
        (Path("/old"), V1),
        (Path("/new/b"), V2),
        (Path("/new"), V2),
    ]


def test_what_cannot_be_read_is_no_limit(tmp_path: Path) -> None:
    assert container_memory(tmp_path) is None
    (tmp_path / "cgroup").write_bytes(b"\xff\xfe")
    (tmp_path / "mountinfo").mkdir()
    assert container_memory(tmp_path) is None


# Real limits


def run(code: str, group: Path | None = None) -> list[int]:
    """The numbers that a process prints, inside a control group if there is one."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"input(); {code}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if group is not None:
        (group / "cgroup.procs").write_text(str(process.pid))
    output, _ = process.communicate("\n", timeout=60)
    assert process.returncode == 0
    return [int(word) for word in output.split()]


LIMITED = """
import resource
from impasto.limits import process_memory, process_status
limit = process_status({field!r}) + 2**28
resource.setrlimit(resource.{name}, (limit, limit))
print(process_memory())
held = bytearray(2**27)
print(process_memory())
try:
    more = bytearray(process_memory() + 2**20)
except MemoryError:
    print(0)
"""


@linux
@pytest.mark.parametrize(("name", "field"), [("RLIMIT_DATA", "VmData"), ("RLIMIT_AS", "VmSize")])
def test_a_process_s_own_limit(name: str, field: str) -> None:
    before, after, refused = run(f"exec({LIMITED.format(name=name, field=field)!r})")
    assert before == pytest.approx(2**28, abs=2**22)
    assert before - after == pytest.approx(2**27, abs=2**22)
    assert refused == 0


@linux
def test_no_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, 0))
    assert process_memory() is None


@linux
def test_the_kernel_s_figures() -> None:
    now, most = process_status("VmRSS"), process_status("VmHWM")
    assert now is not None
    assert most is not None
    assert 2**22 < now <= most
    assert process_status("VmNone") is None


GROUP_LIMIT = 300 * 2**20


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group that may use `GROUP_LIMIT` bytes, where this user can make one."""
    for parent, version in reversed(list(control_groups())):
        folder = parent / f"impasto-test-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            (folder / version.limits[0]).write_text(str(GROUP_LIMIT))
        except OSError:
            folder.rmdir()
            continue
        yield folder
        for _ in range(50):  # the kernel may count an ended process for a moment
            try:
                return folder.rmdir()
            except OSError:
                time.sleep(0.1)
        return None
    pytest.skip("needs the right to make a control group that counts memory")


HELD = """
from impasto.limits import container_memory
print(container_memory())
held = bytearray(b'1') * 2**27
print(container_memory())
"""


@linux
def test_a_real_control_group(group: Path) -> None:
    before, after = run(f"exec({HELD!r})", group)
    assert 0.9 * GROUP_LIMIT < before <= GROUP_LIMIT
    assert before - after == pytest.approx(2**27, rel=0.1)


FILES = """
from pathlib import Path
from impasto.limits import container_memory
print(container_memory())
file = Path({file!r})
file.write_bytes(b'1' * 2**26)
import os; os.sync()
print(container_memory())
"""


@linux
def test_pages_of_files_are_free(group: Path, tmp_path: Path) -> None:
    before, after = run(f"exec({FILES.format(file=str(tmp_path / 'pages'))!r})", group)
    assert before - after < 2**24
