"""HEIC photos without threads, which no jail can start."""

from __future__ import annotations

import ctypes
import mmap
import platform
from pathlib import Path

# libde265, which libheif decodes HEVC with, starts a thread for each photo, whatever libheif is asked for; where that
# fails it throws. Asked for none it decodes in the caller's thread, but neither libheif (1.23) nor pillow-heif (1.8)
# can ask for none. So its function that starts threads is made to do nothing, and to say that all is well: by machine
# code that returns 0.
_STARTS = "de265_start_worker_threads"
_RETURN_0 = {"x86_64": bytes.fromhex("31c0c3"), "aarch64": bytes.fromhex("00008052c0035fd6")}


def decode_without_threads() -> bool:
    """Let this process decode HEIC photos without threads; whether it can from now on.

    Raises:
        ImportError: pillow-heif is not installed.
    """
    import pillow_heif

    pillow_heif.options.DECODE_THREADS = 0  # libheif's own, for photos of tiles
    code, decoder = _RETURN_0.get(platform.machine()), _loaded("libde265")
    if platform.system() != "Linux" or code is None or decoder is None:
        return False
    start = ctypes.cast(getattr(decoder, _STARTS), ctypes.c_void_p).value or 0
    page = start - start % mmap.PAGESIZE
    size = start + len(code) - page
    libc = ctypes.CDLL(None)

    def protect(rights: int) -> bool:
        return not libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(size), rights)

    if not protect(mmap.PROT_READ | mmap.PROT_WRITE):
        return False
    ctypes.memmove(start, code, len(code))
    return protect(mmap.PROT_READ | mmap.PROT_EXEC)


def _loaded(name: str) -> ctypes.CDLL | None:
    """A library that this process has loaded."""
    for line in Path("/proc/self/maps").read_text("utf-8").splitlines():
        path = line.partition("/")
        if path[1] and Path(path[2]).name.startswith(name):
            return ctypes.CDLL("/" + path[2])
    return None
