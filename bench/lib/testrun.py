"""Runs tests of the repository as a measurement, and reads the figures that they print."""
import os
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ET

from . import needs
from .measure import Failed

PROJECT = "Integration.Tests"


def run(methods, env, nice):
    """Builds the project and runs the named tests; gives the seconds, the figures by test, and what failed in words."""
    folder = os.path.join(needs.REPO, "tests", PROJECT)
    built = subprocess.run(["dotnet", "build", folder, "-v", "quiet", "--nologo"], stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        raise Failed(f"the tests could not be built:\n{built.stdout}")
    environment = {**os.environ, "IMAGESTORE_BIN": needs.imagestore(), **env}
    environment.setdefault("DOTNET_ROOT", os.path.dirname(os.path.realpath(needs.which("dotnet"))))
    program = os.path.join(needs.REPO, "artifacts/bin", PROJECT, "debug", f"ImageStore.{PROJECT}")
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        command = ["nice", "-n", str(nice), program, "-noColor", "-noLogo", "-result-xml", report.name]
        for method in methods:
            command += ["-method", f"*.{method}"]
        started = time.perf_counter()
        ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        seconds = time.perf_counter() - started
        try:
            tests = list(ET.parse(report.name).iter("test"))
        except ET.ParseError:
            raise Failed(f"the tests ended with {ended.returncode} and left no report:\n{ended.stdout[-2000:]}") from None
    skipped = [t for t in tests if t.get("result") == "Skip"]
    if skipped or len(tests) != len(methods):
        why = skipped[0].findtext("reason", "").strip() if skipped else f"{len(tests)} of {len(methods)} tests were found"
        raise Failed(f"not run: {why}")
    failures = [t.findtext("failure/message", "").strip() for t in tests if t.get("result") != "Pass"]
    return seconds, {t.get("method"): figures(t.findtext("output") or "") for t in tests}, failures


def figures(output):
    """What stands in lines such as `figure kills: 300`."""
    found = {}
    for line in output.splitlines():
        if line.startswith("figure "):
            name, _, value = line.removeprefix("figure ").rpartition(": ")
            found[name] = int(value)
    return found


def seed_of(env):
    return env.get("IMAGESTORE_DURABILITY_SEED") or str(int.from_bytes(os.urandom(3), "big"))
