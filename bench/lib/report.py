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


def turn(names, number):
    """The names in an order that rotates from run to run."""
    names = list(names)
    shift = number % len(names)
    return names[shift:] + names[:shift]


def phases(samples):
    """Prints the usages of each peer in each phase; the first peer is ours, and the others are compared with it."""
    rows = [["", "wall s", "min–max", "CPU s", "peak MB", "ours takes of it"]]
    for phase, runs in samples.items():
        base = median([u.wall for u in next(iter(runs.values()))])
        for name, usages in runs.items():
            walls = [u.wall for u in usages]
            rows.append([f"{phase}: {name}", f"{median(walls):.2f}", spread(walls), f"{median([u.cpu for u in usages]):.2f}",
                         mb(max(u.peak for u in usages)), ratio(base, median(walls))])
    table(rows)


def mb(count):
    return f"{count / MB:.0f}"


def ratio(a, b):
    return f"{a / b:.2f}" if b else "-"
