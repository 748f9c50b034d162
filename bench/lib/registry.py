"""Debian's docker-registry on a free loopback port, with its own data."""
import os
import socket
import subprocess

from .measure import Failed
from .needs import which
from .workspace import tail, wait_for

CONFIG = """version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: "{data}"}}, delete: {{enabled: true}}}}
http: {{addr: "{host}"}}
"""


class Registry:
    def __init__(self, work, name="registry"):
        self._work, self._folder = work, work.folder(name)
        folder = self._folder
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.host = f"127.0.0.1:{s.getsockname()[1]}"
        config, self._log = os.path.join(folder, "config.yml"), os.path.join(folder, "log")
        with open(config, "w") as f:
            f.write(CONFIG.format(data=os.path.join(folder, "data"), host=self.host))
        self._daemon = work.start([which("docker-registry"), "serve", config], self._log)
        wait_for("docker-registry", self._answers, self._daemon, self._log)

    def _answers(self):
        host, port = self.host.split(":")
        with socket.socket() as s:
            return s.connect_ex((host, int(port))) == 0

    def push(self, layout, name):
        """Pushes an OCI layout's image `latest` as it is; gives the reference."""
        ref = f"{self.host}/{name}:latest"
        log = self._log + ".push"
        with open(log, "ab") as out:
            done = subprocess.run(["skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false",
                                   f"oci:{layout}:latest", f"docker://{ref}"], stdout=out, stderr=out)
        if done.returncode != 0:
            raise Failed(f"the push of the image failed:\n{tail(log)}")
        return ref

    def close(self):
        """Ends it and deletes its data, before the workspace does."""
        self._work.stop(self._daemon)
        self._work.remove(self._folder)
