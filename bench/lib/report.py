"""The machine, the medians and the table."""
import os
import platform
import statistics
import subprocess

from .measure import MB
from .needs import which
from .workspace import filesystem_of

VERSIONS = {
    "ours": None,
    "containerd": ["containerd", "--version"], "podman": ["podman", "--version"],
    "skopeo+umoci": ["skopeo", "--version"], "umoci": ["umoci", "--version"],
    "docker-registry": ["docker-registry", "--version"],
}


def first_line(argv):
    program = which(argv[0]) or argv[0]
    out = subprocess.run([program, *argv[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout.strip()
    return out.splitlines()[0].removeprefix(program).strip() if out else "?"


def machine(path):
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    return {"cores": len(os.sched_getaffinity(0)), "cpu": model, "memory_gb": round(memory, 1), "kernel": platform.release(),
            "filesystem": filesystem_of(path), "load": round(os.getloadavg()[0], 2)}


def versions(names, binary):
    found = {"imagestore": first_line([binary, "--version"])}
    for name in [*names, *(["umoci"] if "skopeo+umoci" in names else []), "docker-registry"]:
        if VERSIONS.get(name):
            found[VERSIONS[name][0]] = first_line(VERSIONS[name])
    return found


def print_machine(facts, found):
    print(f"machine   {facts['cores']} cores ({facts['cpu']}), {facts['memory_gb']} GB, Linux {facts['kernel']}, "
          f"{facts['filesystem']}, load {facts['load']} at the start")
    if facts["load"] > 0.5 * facts["cores"]:
        print("          WARNING: the machine is busy with something else; take the ratios with care")
    print("versions  " + " · ".join(v if k in v else f"{k} {v}" for k, v in found.items()))


def table(rows):
    """Prints rows of strings; the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip())


def median(values):
    return statistics.median(values)


def spread(values, form="{:.2f}"):
    return f"{form.format(min(values))}–{form.format(max(values))}"


def mb(count):
    return f"{count / MB:.0f}"


def ratio(a, b):
    return f"{a / b:.2f}" if b else "-"
