"""StoreBench: the program that measures a store from within, ours through its library and containerd through its API."""
import os
import platform
import shutil
import sys

from .needs import REPO
from .peers import call

PROJECT = os.path.join(REPO, "bench/StoreBench")


def publish(work):
    """Compiles it as ./imagestore does, native where that can link; gives its path. IMAGESTORE_BENCH_BIN names a compiled one."""
    if known := os.environ.get("IMAGESTORE_BENCH_BIN"):
        return known
    folder, log = os.path.join(work.path, "program"), os.path.join(work.path, "program.log")
    argv = ["dotnet", "publish", PROJECT, "-c", "Release", "-v", "quiet", "--nologo", "-o", folder]
    if (shutil.which("clang") or shutil.which("gcc")) and os.path.exists("/usr/include/zlib.h"):
        rid = "linux-arm64" if platform.machine() == "aarch64" else "linux-x64"
        argv += ["-r", rid, "-p:PublishAot=true"]
    else:
        print("bench: clang and zlib1g-dev are missing: StoreBench is not native, unlike the product", file=sys.stderr)
    call(argv, log)
    return os.path.join(folder, "ImageStore.StoreBench")


def figures(output):
    """What it printed: a name and a value a line."""
    return {name: float(value) for name, value in (line.split() for line in output.decode().splitlines())}
