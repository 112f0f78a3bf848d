"""A small disk of our own, so that a full one is full for nobody else."""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

CLONE_NEWNS = 0x0002_0000
FILLER = "filler"
PAGE_BYTES = 4096


class NoSmallDiskError(Exception):
    """A disk can't be mounted here; the message says why."""


class SmallDisk:
    """A tmpfs on a folder, in a mount namespace that ends with this process and its children."""

    def __init__(self, folder: Path, *, megabytes: int) -> None:
        """Mount it. Call it before any thread is started. Raises NoSmallDiskError."""
        if os.geteuid() != 0:
            raise NoSmallDiskError("only root can mount a small disk")
        libc = ctypes.CDLL(None, use_errno=True)
        # Seen by nobody else, and gone without a trace however this run ends.
        if libc.unshare(CLONE_NEWNS) != 0:
            reason = os.strerror(ctypes.get_errno())
            raise NoSmallDiskError(f"no mount namespace of our own can be had ({reason})")
        _run("mount", "--make-rprivate", "/")
        _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder))
        self._filler = folder / FILLER

    def fill(self) -> None:
        """Take all the room that is left."""
        with self._filler.open("ab") as filler:
            while (free := self.free_bytes()) >= PAGE_BYTES:
                try:
                    os.posix_fallocate(filler.fileno(), filler.seek(0, os.SEEK_END), free)
                except OSError:
                    # Somebody else wrote meanwhile; ask again how much is left.
                    continue

    def free(self) -> None:
        """Give back what `fill` took."""
        self._filler.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Take the disk away, with all that is on it."""
        _run("umount", str(self._filler.parent))

    def free_bytes(self) -> int:
        """Return how much room is left."""
        disk = os.statvfs(self._filler.parent)
        return disk.f_bavail * disk.f_frsize


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise NoSmallDiskError(str(error)) from None
    if done.returncode:
        raise NoSmallDiskError(done.stderr.strip() or f"{command[0]} failed")
