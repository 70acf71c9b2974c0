"""The walls of a jail: Landlock, seccomp and limits, put around the calling process for good. Linux only.

Both walls are needed: Landlock takes every file, connection and foreign process away by what they are, seccomp every
system call that reading a document does not need. By `ctypes`, without a package and without any privilege. After
https://docs.kernel.org/userspace-api/landlock.html and .../seccomp_filter.html.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ocrkit.errors import OcrkitError
from ocrkit.options import options_class

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_MODE_FILTER = 2
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446
_LANDLOCK_VERSION = 1  # flag: only say which one the kernel has
# Rights over files, and over connections, that each version of Landlock knows; from the sixth on also signals to, and
# abstract sockets of, processes outside.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_CONNECTIONS_FROM, _SCOPES_FROM = 4, 6

# What reading needs once all is loaded: memory, time, its one socket, and to end. By architecture: number in seccomp's
# terms, then the calls. Nothing that opens, connects, starts, or signals.
_CALLS = {
    "x86_64": (0xC000003E, {
        "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11,
        "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "readv": 19,
        "writev": 20, "sched_yield": 24, "mremap": 25, "madvise": 28, "nanosleep": 35, "getpid": 39, "exit": 60,
        "uname": 63, "gettimeofday": 96, "getrlimit": 97, "getrusage": 98, "sysinfo": 99, "getuid": 102, "getgid": 104,
        "geteuid": 107, "getegid": 108, "sigaltstack": 131, "gettid": 186, "futex": 202, "sched_getaffinity": 204,
        "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231,
        "ppoll": 271, "set_robust_list": 273, "getcpu": 309, "getrandom": 318, "membarrier": 324, "rseq": 334,
    }),
    "aarch64": (0xC00000B7, {
        "close": 57, "lseek": 62, "read": 63, "write": 64, "readv": 65, "writev": 66, "pread64": 67, "ppoll": 73,
        "fstat": 80, "exit": 93, "exit_group": 94, "futex": 98, "set_robust_list": 99, "nanosleep": 101,
        "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115, "sched_getaffinity": 123,
        "sched_yield": 124, "restart_syscall": 128, "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135,
        "rt_sigreturn": 139, "uname": 160, "getrlimit": 163, "getrusage": 165, "getcpu": 168, "gettimeofday": 169,
        "getpid": 172, "getuid": 174, "geteuid": 175, "getgid": 176, "getegid": 177, "gettid": 178, "sysinfo": 179,
        "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222, "mprotect": 226, "madvise": 233, "getrandom": 278,
        "membarrier": 283, "rseq": 293,
    }),
}  # fmt: skip
_LOAD, _EQUAL, _ABOVE, _RETURN = 0x20, 0x15, 0x35, 0x06  # instructions of the filter
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4  # in what it is given
_FOREIGN_ABI = 0x40000000  # numbers from here on are the calls of another one on the same processor
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM

_libc = ctypes.CDLL(None, use_errno=True)


class NoJail(OcrkitError):
    """The walls cannot be put up here."""


@options_class
class Limits:
    """What one document may take.

    Attributes:
        cpu_s: of processor time.
        wall_s: of any time.
        memory_mb: beyond what the reader itself takes.
        all_pages_times: so many times as much time where all pages are asked for.
        pages: that one process reads, where it is kept; see `ocrkit.service.jail`.
    """

    cpu_s: int = 120
    wall_s: float = 240.0
    memory_mb: int = 2048
    all_pages_times: int = 20
    pages: int = 200


@options_class
class Walls:
    """What holds a process: the version of Landlock, and how many system calls seccomp leaves."""

    landlock: int
    calls: int


def die_with_parent(parent: int) -> None:
    """Let the kernel kill this process when `parent`, which started it, ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def limit(limits: Limits, cpu_s: int) -> None:
    """Set the limits that need no wall; also without a jail."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + limits.memory_mb * 2**20
    for what, value in (
        (resource.RLIMIT_AS, most),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(what, (value, value))
    # The first kills with a signal that tells why, the second where that is ignored.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))


def enforce(socket: int) -> Walls:
    """Put the walls up around this process, of which nothing stays open but `socket`. There is no way back.

    Raises:
        NoJail: the kernel lacks Landlock or seccomp, or the processor is not known; the process must end then.
    """
    landlock = landlock_version()
    os.closerange(0, socket)
    os.closerange(socket + 1, 65536)
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise NoJail(_missing("no_new_privs"))
    _restrict(landlock)
    return Walls(landlock, _filter())


def landlock_version() -> int:
    """The kernel's version of Landlock.

    Raises:
        NoJail: it has none, or the system is not Linux.
    """
    if platform.system() != "Linux":
        raise NoJail(f"{platform.system()} has no jail: " + _ELSE)
    version = int(_syscall(_LANDLOCK_CREATE, None, 0, _LANDLOCK_VERSION))
    if version < 1:
        raise NoJail(_missing("Landlock"))
    return version


_ELSE = "use Linux 5.13 or later, or give --no-jail, and then read only documents whose makers you trust."


def _missing(what: str) -> str:
    return f"This kernel has no {what}, or it is turned off, so documents cannot be read in a jail: {_ELSE}"


def _syscall(*arguments: object) -> int:
    return int(_libc.syscall(*arguments))


def _restrict(version: int) -> None:
    """Landlock without any rule: nothing that it knows of is allowed."""
    rights = [(1 << _FILE_RIGHTS.get(version, 16)) - 1]
    if version >= _CONNECTIONS_FROM:
        rights.append(0b11)
    if version >= _SCOPES_FROM:
        rights.append(0b11)
    told = ctypes.create_string_buffer(struct.pack(f"={len(rights)}Q", *rights), 8 * len(rights))
    ruleset = _syscall(_LANDLOCK_CREATE, told, ctypes.c_size_t(8 * len(rights)), 0)
    if ruleset < 0 or _syscall(_LANDLOCK_RESTRICT, ruleset, 0):
        raise NoJail(_missing("Landlock"))
    os.close(ruleset)


def _filter() -> int:
    """seccomp: the calls that are listed pass, all others fail with EPERM; how many pass."""
    machine = platform.machine()
    if machine not in _CALLS:
        raise NoJail(f"ocrkit knows no jail for {machine} processors: " + _ELSE)
    architecture, calls = _CALLS[machine]
    numbers = sorted(calls.values())
    # Jumps count the instructions that they leave out; those of refusing and allowing stand at the end.
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_ABOVE, len(numbers), 0, _FOREIGN_ABI),
        *((_EQUAL, len(numbers) - place, 0, number) for place, number in enumerate(numbers)),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    told = struct.pack("@HxxxxxxP", len(program), ctypes.addressof(code))
    if _libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.c_char_p(told), 0, 0):
        raise NoJail(_missing("seccomp"))
    return len(numbers)


def open_doors() -> list[str]:
    """What this process can still do and must not: empty behind the walls. It tries each, so only a child may ask."""
    found = []
    for name, attempt in _DOORS.items():
        with suppress(OSError, ValueError):
            attempt()
            found.append(name)
    return found


def _raw(*arguments: object) -> Callable[[], None]:
    """A system call that fails with an error where it is refused."""

    def attempt() -> None:
        if _syscall(*arguments) < 0:
            raise OSError(ctypes.get_errno(), "refused")

    return attempt


def _fork() -> None:
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _connect(family: int, kind: int) -> Callable[[], None]:
    def attempt() -> None:
        import socket

        socket.socket(family, kind).close()

    return attempt


_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_DOORS: dict[str, Callable[[], object]] = {
    "read a file": lambda: os.close(os.open("/etc/passwd", os.O_RDONLY)),
    "look into a folder": lambda: os.listdir("/"),
    "look at a file": lambda: os.stat("/etc/passwd"),
    "read another process": lambda: os.close(os.open(f"/proc/{os.getppid()}/environ", os.O_RDONLY)),
    "write a file": lambda: os.close(os.open("/tmp/jail", os.O_WRONLY | os.O_CREAT)),
    "make a file in memory": lambda: os.close(os.memfd_create("jail")),
    "connect by IPv4": _connect(_AF_INET, 1),
    "connect by IPv6": _connect(_AF_INET6, 1),
    "connect by a local socket": _connect(_AF_UNIX, 1),
    "talk to the kernel's network": _connect(_AF_NETLINK, 3),
    "start a program": lambda: os.execv("/bin/true", ["true"]),
    "fork": _fork,
    "signal its parent": lambda: os.kill(os.getppid(), 0),
    "signal all": lambda: os.kill(-1, 0),
    "trace": _raw({"x86_64": 101}.get(platform.machine(), 117), 0, 0, 0, 0),
    "raise its limits": lambda: resource.setrlimit(resource.RLIMIT_CORE, (1, 1)),
    "mount": _raw({"x86_64": 165}.get(platform.machine(), 40), b"none", b"/mnt", b"tmpfs", 0, None),
    "leave its namespace": _raw({"x86_64": 272}.get(platform.machine(), 97), 0x10000000),
    "load into the kernel": _raw({"x86_64": 321}.get(platform.machine(), 280), 0, None, 0),
    "queue for the kernel": _raw(425, 8, None),
}
