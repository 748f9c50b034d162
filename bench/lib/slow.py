"""nginx before a registry, as a far server that gives each connection only so much."""
import os
import socket

from .needs import which
from .workspace import wait_for

CONFIG = """daemon off; user root; pid {folder}/pid; error_log stderr error; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off; client_max_body_size 0; proxy_max_temp_file_size 0;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen {host};
    location / {{ proxy_pass http://{registry}; proxy_set_header Host $http_host; limit_rate {rate}; }}
  }}
}}
"""


def start(work, registry, rate):
    """Gives the host and port of a server that passes on at most `rate` (of nginx, such as 10m) on each connection."""
    folder = work.folder("nginx")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{s.getsockname()[1]}"
    config, log = os.path.join(folder, "nginx.conf"), os.path.join(folder, "log")
    with open(config, "w") as f:
        f.write(CONFIG.format(folder=folder, host=host, registry=registry, rate=rate))
    daemon = work.start([which("nginx"), "-c", config], log)

    def answers():
        name, port = host.split(":")
        with socket.socket() as s:
            return s.connect_ex((name, int(port))) == 0
    wait_for("nginx", answers, daemon, log)
    return host
