"""How much memory the system lets this process have: limits of its containers and its own."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

PROCESS = Path("/proc/self")
"""Where Linux tells what it knows about this process."""

NO_LIMIT = 2**62
"""Bytes. Version 1 writes the last page below 2^63 where there is no limit."""


@dataclass(frozen=True)
class Version:
    """How one version of Linux's control groups names its files."""

    limits: tuple[str, ...]
    """Each counts the group and all groups below it."""
    used: str
    idle_files: str
    """The entry of memory.stat for pages of files that were not read lately."""


V1 = Version(("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_inactive_file")

# Above memory.high nothing is refused, but the process is slowed down until it all but stands.
V2 = Version(("memory.max", "memory.high"), "memory.current", "inactive_file")


def container_memory(process: Path = PROCESS) -> int | None:
    """Bytes that the tightest limit of this process's control groups leaves; None without one.

    Idle pages of files are free, since the kernel takes them back before it refuses any; swap is
    nothing, since a job that lives there does not end.
    """
    left = (left_in(folder, version) for folder, version in control_groups(process))
    return min((room for room in left if room is not None), default=None)


def control_groups(process: Path = PROCESS) -> Iterator[tuple[Path, Version]]:
    """The folders of the groups that count this process's memory, each followed by its parent.

    A folder may be missing: in a container the kernel names the group as seen from outside, and
    what is mounted is often that group alone. The mounted one comes last and is there.
    """
    own = own_groups(process)
    for line in lines_of(process / "mountinfo"):
        before, _, after = line.partition(" - ")
        root, mount = before.split()[3:5]
        kind, *_, options = after.split(" ")  # between them the source, which may be empty
        version = version_of(kind, options)
        if version is None or version not in own:
            continue
        below = inside(own[version], root)
        for path in (below, *below.parents):
            yield Path(mount, path), version


def own_groups(process: Path) -> dict[Version, str]:
    """The path of the group that a process is in, as the kernel names it."""
    found = {}
    for line in lines_of(process / "cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers:
            found[V2] = path
        elif "memory" in controllers.split(","):
            found[V1] = path
    return found


def version_of(kind: str, options: str) -> Version | None:
    """The version of control groups that a mount shows; None where it shows no memory."""
    if kind == "cgroup2":
        return V2
    return V1 if kind == "cgroup" and "memory" in options.split(",") else None


def inside(group: str, root: str) -> PurePosixPath:
    """A group's path inside a mount that shows `root` and what is below it.

    The mount itself where the group is named as seen from elsewhere.
    """
    path, top = PurePosixPath(group), PurePosixPath(root)
    if ".." in path.parts or not path.is_relative_to(top):
        return PurePosixPath()
    return path.relative_to(top)


def left_in(group: Path, version: Version) -> int | None:
    """Bytes that a group's own limit leaves; None without one."""
    found = [number_in(group / name) for name in version.limits]
    limits = [limit for limit in found if limit is not None and limit < NO_LIMIT]
    if not limits:
        return None
    used = number_in(group / version.used) or 0
    idle = 0
    for line in lines_of(group / "memory.stat"):
        name, _, number = line.partition(" ")
        if name == version.idle_files and number.isdecimal():
            idle = int(number)
    return max(0, min(limits) - max(0, used - idle))


def process_memory() -> int | None:
    """Bytes that this process's own limits leave (`ulimit -v`, `ulimit -d`); None without one."""
    if sys.platform == "win32":
        return None
    import resource

    left = []
    for limit, field in ((resource.RLIMIT_AS, "VmSize"), (resource.RLIMIT_DATA, "VmData")):
        allowed, _ = resource.getrlimit(limit)
        held = process_status(field)  # other systems than Linux have these limits but keep to none
        if allowed != resource.RLIM_INFINITY and held is not None:
            left.append(max(0, allowed - held))
    return min(left, default=None)


def process_status(field: str) -> int | None:
    """Bytes of one of Linux's figures about this process, such as VmHWM; None where it has none."""
    for line in lines_of(PROCESS / "status"):
        name, _, amount = line.partition(":")
        if name == field:
            return 1024 * int(amount.split()[0])
    return None


def number_in(file: Path) -> int | None:
    """The number that is all of a file; None for `max`, and where the file cannot be read."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def lines_of(file: Path) -> list[str]:
    """A file's lines; none where it cannot be read: groups come and go, and containers hide."""
    try:
        return file.read_text().splitlines()
    except (OSError, ValueError):
        return []
