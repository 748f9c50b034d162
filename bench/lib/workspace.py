"""A scratch folder on a disk, and everything that has to go with it: processes, mounts, files."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from .needs import Missing

NOT_A_DISK = {"tmpfs", "ramfs", "devtmpfs", "hugetlbfs"}
STOP_SECONDS = 10
SPACE_TO_KEEP = 15 << 30


def filesystem_of(path):
    """The type of the filesystem that a path is on; of mounts on one place, the last is the one seen."""
    path, best, kind = os.path.realpath(path), "", "?"
    for point, fstype in mount_table():
        if (path == point or path.startswith(point.rstrip("/") + "/")) and len(point) >= len(best):
            best, kind = point, fstype
    return kind


class Workspace:
    """Used as a context: whatever way it is left, daemons end, mounts below it are undone, and it is deleted."""

    def __init__(self):
        candidates = [os.environ.get("TMPDIR"), "/var/tmp", "/tmp"]
        disk = [c for c in candidates if c and os.path.isdir(c) and filesystem_of(c) not in NOT_A_DISK]
        if not disk:
            raise Missing("no scratch folder on a disk: set TMPDIR to one that is not a tmpfs")
        self.path = os.path.realpath(tempfile.mkdtemp(prefix="imagestore-bench.", dir=disk[0]))
        self.daemons, self._retired = [], []
        # ext4 then puts each folder made here into a block group of its own, as it does with users' homes.
        subprocess.run(["chattr", "+T", self.path], stderr=subprocess.DEVNULL)

    def __enter__(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda n, _: sys.exit(128 + n))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return self

    def __exit__(self, *_):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for daemon in list(self.daemons):
            self.stop(daemon)
        self.remove(self.path)

    def folder(self, name):
        path = os.path.join(self.path, name)
        os.makedirs(path)
        return path

    def memory(self, name):
        """A folder in memory, for what is prepared there and measured elsewhere."""
        path = self.folder(name)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700", "bench", path], check=True)
        return path

    def start(self, argv, log):
        """Starts a daemon that dies with us, even when we are killed."""
        with open(log, "ab") as out:
            daemon = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *argv], stdin=subprocess.DEVNULL,
                                      stdout=out, stderr=out, start_new_session=True)
        self.daemons.append(daemon)
        return daemon

    def stop(self, daemon):
        self.daemons.remove(daemon)
        for how in (daemon.terminate, daemon.kill):
            how()
            try:
                daemon.wait(STOP_SECONDS)
                return
            except subprocess.TimeoutExpired:
                continue

    def retire(self, path):
        """Undoes the mounts below a path; deletes it at the end, or now when space is short.

        ext4 does not give a deleted inode's number out again for minutes, and looks at each one anew for every file
        that is made nearby: whoever unpacks after a large deletion pays up to ten times for it.
        """
        self.undo_mounts(path)
        self._retired.append(path)
        while self._retired and shutil.disk_usage(self.path).free < SPACE_TO_KEEP:
            print("bench: space is short, so an earlier store is deleted now; that slows what comes next", file=sys.stderr)
            self.remove(self._retired.pop(0))

    def remove(self, path):
        """Undoes the mounts at and below a path, then deletes it."""
        if not self.undo_mounts(path):
            print(f"bench: a mount below {path} cannot be undone; the folder stays", file=sys.stderr)
            return
        shutil.rmtree(path, ignore_errors=True)
        if os.path.lexists(path):
            subprocess.run(["chattr", "-R", "-i", path], stderr=subprocess.DEVNULL)
            shutil.rmtree(path, ignore_errors=True)

    def undo_mounts(self, path):
        """Undoes the mounts at and below a path; says whether all are gone."""
        for _ in range(3):
            below = [m for m in mounts() if m == path or m.startswith(path + "/")]
            for mount in reversed(below):
                if subprocess.run(["umount", mount], stderr=subprocess.DEVNULL).returncode != 0:
                    subprocess.run(["umount", "-l", mount], stderr=subprocess.DEVNULL)
            if not below:
                return True
        return not any(m == path or m.startswith(path + "/") for m in mounts())


def mount_table():
    """Where what is mounted, in the order of the mounting."""
    with open("/proc/self/mountinfo") as f:
        halves = [line.split(" - ") for line in f]
    return [(left.split()[4].encode().decode("unicode_escape"), right.split()[0]) for left, right in halves]


def mounts():
    return [point for point, _ in mount_table()]


def wait_for(what, ready, daemon, log, seconds=30):
    """Waits until a daemon answers; when it ends instead, its last words are the error."""
    end = time.monotonic() + seconds
    while not ready():
        if daemon.poll() is not None or time.monotonic() > end:
            raise Missing(f"{what} did not start:\n{tail(log)}")
        time.sleep(0.05)


def tail(log, lines=12):
    try:
        with open(log, errors="replace") as f:
            return "".join(f.readlines()[-lines:]).rstrip()
    except OSError:
        return ""
