"""Runs a program and says what it took."""
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

from .needs import which
from .workspace import tail

TICKS = os.sysconf("SC_CLK_TCK")
MB = 1 << 20


class Failed(Exception):
    """A measured program did not succeed."""


@dataclass
class Usage:
    """Seconds and bytes; processes that ran one after the other, or a client and its daemon, add up."""
    wall: float = 0
    user: float = 0
    system: float = 0
    peak: int = 0

    @property
    def cpu(self):
        return self.user + self.system

    def then(self, other):
        """Both, one after the other."""
        return Usage(self.wall + other.wall, self.user + other.user, self.system + other.system, max(self.peak, other.peak))

    def beside(self, user, system, peak):
        """With a daemon that worked at the same time."""
        return Usage(self.wall, self.user + user, self.system + system, self.peak + peak)


def run(argv, log, env=None, timeout=1800, stdout=None):
    """Runs a program to its end. Raises Failed with the end of its output when it fails.

    The program is started by GNU time, not by us: Linux counts the memory of the process that calls exec as the
    child's peak, so a small program would show the size of this interpreter.
    """
    peak_file = log + ".peak"
    command = [which("time"), "--quiet", "-f", "%M", "-o", peak_file, *argv]
    with open(log, "ab") as out:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout or out, stderr=out,
                                 env={**os.environ, **(env or {})}, start_new_session=True)
        timer = threading.Timer(timeout, lambda: os.killpg(child.pid, signal.SIGKILL))
        timer.start()
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise
        finally:
            timer.cancel()
        wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        why = f"was stopped after {timeout} s" if wall >= timeout else f"ended with {child.returncode}"
        raise Failed(f"{os.path.basename(argv[0])} {why}:\n{tail(log)}")
    with open(peak_file) as f:
        peak = int(f.read()) * 1024
    return Usage(wall, usage.ru_utime, usage.ru_stime, peak)


def daemon_cpu(pid):
    """User and system seconds of a running process and of its children that it has waited for."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    user, system, child_user, child_system = (int(x) / TICKS for x in fields[11:15])
    return user + child_user, system + child_system


def daemon_peak(pid):
    """The most memory that a running process has had resident."""
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


TOUCH = """
import mmap, sys
with mmap.mmap(-1, int(sys.argv[1]), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as m:
    m.madvise(mmap.MADV_HUGEPAGE)
    for at in range(0, len(m), mmap.PAGESIZE):
        m[at] = 1
"""


def warm_memory(size):
    """Touches as much free memory as a pull will fill with files, and frees it again.

    A virtual machine may give free pages back to its host; taking them again then costs up to ten times the rest of
    a write, counts as the writer's system time, and falls on whoever comes after a pause.
    """
    available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    size = min(size, available // 2) // MB * MB
    if size > 0:
        subprocess.run([sys.executable, "-c", TOUCH, str(size)], check=True)


def quiet_disk(path):
    """Writes out what earlier runs left dirty, so that nobody pays for another's pages; says how long it took."""
    start = time.perf_counter()
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    subprocess.run(["sync", "-f", path], check=True)
    return time.perf_counter() - start
