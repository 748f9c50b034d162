"""ImageStore and its peers: each with a cold store of its own, one pull, and a look at what it unpacked."""
import contextlib
import os
import subprocess

from .measure import Failed, daemon_cpu, daemon_peak, run
from .needs import which
from .workspace import tail, wait_for

CONTAINERD_CONFIG = """version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing"]
"""


def call(argv, log, env=None, capture=False):
    """A step that is not measured."""
    with open(log, "ab") as err:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if capture else err, stderr=err,
                              text=True, env={**os.environ, **(env or {})})
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(os.path.basename, argv[:1]))} ended with {done.returncode}:\n{tail(log)}")
    return done.stdout


class Peer:
    """One cold store. `pull` is what is measured; `tree` gives what it unpacked, while the context lasts."""
    needs = ()
    files = ()

    def __init__(self, work, name, timeout):
        self.work, self.timeout = work, timeout
        self.dir = work.folder(name)
        self.log = os.path.join(self.dir, "log")
        self.prepare()

    def prepare(self):
        pass

    def close(self):
        self.work.retire(self.dir)

    def at(self, name):
        return os.path.join(self.dir, name)

    def copy_to(self, other):
        """Gives another peer of this kind, which is not started, a copy of the store."""
        call(["cp", "-a", self.at("root"), other.at("root")], self.log)

    def measured(self, argv, env=None):
        return run(argv, self.log, env, self.timeout)


class Ours(Peer):
    binary = None
    snapshotter = "overlayfs"

    def verb(self, *args):
        return [self.binary, "--root", self.at("root"), *args]

    def pull(self, ref):
        return self.measured(self.verb("pull", "--snapshotter", self.snapshotter, ref))

    @contextlib.contextmanager
    def tree(self, ref):
        os.mkdir(self.at("mnt"))
        call(self.verb("mount", "--snapshotter", self.snapshotter, ref, self.at("mnt")), self.log)
        try:
            yield self.at("mnt")
        finally:
            call(self.verb("unmount", "--snapshotter", self.snapshotter, self.at("mnt")), self.log)


class OursErofs(Ours):
    snapshotter = "erofs"


class Containerd(Peer):
    needs = ("containerd", "ctr")
    config = ""

    def __init__(self, work, name, timeout, started=True):
        self.daemon = None
        super().__init__(work, name, timeout)
        if started:
            self.start()

    def start(self):
        config, self.socket = self.at("config.toml"), self.at("s")
        with open(config, "w") as f:
            f.write(CONTAINERD_CONFIG + self.config)
        self.daemon = self.work.start(
            [which("containerd"), "--config", config, "--root", self.at("root"), "--state", self.at("state"),
             "--address", self.socket], self.at("daemon.log"))
        wait_for("containerd", self._answers, self.daemon, self.at("daemon.log"))

    def stop(self):
        if self.daemon:
            self.work.stop(self.daemon)
            self.daemon = None

    def _answers(self):
        return subprocess.run(self.verb("version"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def verb(self, *args):
        return [which("ctr"), "--address", self.socket, *args]

    def pull(self, ref):
        user, system = daemon_cpu(self.daemon.pid)
        client = self.measured(self.verb("images", "pull", "--plain-http", "--snapshotter", "overlayfs", ref))
        user_after, system_after = daemon_cpu(self.daemon.pid)
        return client.beside(user_after - user, system_after - system, daemon_peak(self.daemon.pid))

    @contextlib.contextmanager
    def tree(self, ref):
        os.mkdir(self.at("mnt"))
        call(self.verb("images", "mount", "--snapshotter", "overlayfs", ref, self.at("mnt")), self.log)
        try:
            yield self.at("mnt")
        finally:
            call(self.verb("images", "unmount", "--rm", "--snapshotter", "overlayfs", self.at("mnt")), self.log)

    def close(self):
        self.stop()
        super().close()


class Podman(Peer):
    needs = ("podman",)
    files = ("/etc/containers/policy.json",)

    def prepare(self):
        os.mkdir(self.at("tmp"))
        self.env = {"TMPDIR": self.at("tmp")}

    def verb(self, *args):
        return ["podman", "--root", self.at("root"), "--runroot", self.at("run"), "--tmpdir", self.at("libpod"),
                "--storage-driver", "overlay", *args]

    def pull(self, ref):
        return self.measured(self.verb("pull", "--tls-verify=false", ref), self.env)

    @contextlib.contextmanager
    def tree(self, ref):
        yield call(self.verb("image", "mount", ref), self.log, self.env, capture=True).strip()
        call(self.verb("image", "unmount", "--all"), self.log, self.env)


class SkopeoUmoci(Peer):
    needs = ("skopeo", "umoci")

    def prepare(self):
        os.mkdir(self.at("tmp"))

    def pull(self, ref):
        env = {"TMPDIR": self.at("tmp")}
        copied = self.measured(["skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", f"docker://{ref}",
                                f"oci:{self.at('layout')}:latest"], env)
        return copied.then(self.measured(["umoci", "unpack", "--image", f"{self.at('layout')}:latest", self.at("bundle")], env))

    @contextlib.contextmanager
    def tree(self, ref):
        yield self.at("bundle/rootfs")


PEERS = {"ours": Ours, "ours-erofs": OursErofs, "containerd": Containerd, "podman": Podman, "skopeo+umoci": SkopeoUmoci}
