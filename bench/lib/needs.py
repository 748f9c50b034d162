"""What a bench needs of the machine: installed when root, else named."""
import os
import shutil
import subprocess
import sys

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

PACKAGES = {
    "docker-registry": "docker-registry", "skopeo": "skopeo", "umoci": "umoci", "podman": "podman",
    "containerd": "containerd", "ctr": "containerd", "igzip": "isal", "time": "time", "curl": "curl",
    "openssl": "openssl", "tar": "tar", "setpriv": "util-linux", "pigz": "pigz", "nginx": "nginx-light",
    "strace": "strace", "runc": "runc",
}
# Where Debian's packages put files that no command shows.
FILES = {"/bin/busybox": "busybox-static", "/etc/containers/policy.json": "golang-github-containers-common"}


class Missing(Exception):
    """Something that the bench cannot do without is not there."""


def programs(*names, files=()):
    """Makes sure that programs and files are there, through apt-get when root."""
    def absent():
        return sorted({PACKAGES[n] for n in names if which(n) is None} | {FILES[f] for f in files if not os.path.exists(f)})
    missing = absent()
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        print("bench: installing " + " ".join(missing), file=sys.stderr)
        install = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
        for command in (install, ["apt-get", "update"], install):
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
            if command is install and done.returncode == 0:
                break
        missing = absent()
    if missing:
        raise Missing("missing: install them with apt-get install " + " ".join(missing))


def which(name):
    """Finds a program; a user's PATH often lacks the sbin folders, and `time` is a word of the shell."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin")


def root():
    if os.geteuid() != 0:
        raise Missing("this bench needs root: overlayfs mounts and file owners do")


def make_image():
    """The path of make-image.py."""
    folder = os.environ.get("IMAGESTORE_FIXTURES") or os.path.normpath(os.path.join(REPO, "../shared/fixtures"))
    path = os.path.join(folder, "make-image.py")
    if not os.path.isfile(path):
        raise Missing(f"no make-image.py in {folder}: set IMAGESTORE_FIXTURES to the folder that has it")
    return path


def imagestore():
    """The path of our program, built when it has to be; IMAGESTORE_BIN names another one."""
    path = os.environ.get("IMAGESTORE_BIN")
    if path is None:
        built = subprocess.run([os.path.join(REPO, "imagestore"), "--binary-path"], stdout=subprocess.PIPE, text=True)
        if built.returncode != 0:
            raise Missing("./imagestore could not be built")
        path = built.stdout.strip()
    if not os.access(path, os.X_OK):
        raise Missing(f"{path} is not a program")
    return os.path.realpath(path)
