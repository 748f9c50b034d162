"""The images: made once, kept in a cache, with what is in them counted by a reader that is none of the peers'."""
import gzip
import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import zlib

from . import many
from .measure import MB
from .needs import Missing, make_image

CHUNK = bytes(MB)
TAR_BLOCK = 512


def cache():
    default = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "imagestore-bench")
    return os.environ.get("IMAGESTORE_BENCH_CACHE") or default


def fixture(preset):
    """The folder of a fixture's OCI layout; made on first use."""
    tool = make_image()
    folder = os.path.join(cache(), preset)
    if not os.path.isdir(folder):
        os.makedirs(cache(), exist_ok=True)
        part = f"{folder}.{os.getpid()}.part"
        print(f"bench: making the {preset} image (only this once)", file=sys.stderr)
        try:
            done = subprocess.run([sys.executable, tool, "--preset", preset, part], stdout=subprocess.DEVNULL)
            if done.returncode != 0:
                raise Missing(f"make-image.py could not make the {preset} image")
            counted = count_layers(part)
            with open(os.path.join(part, "contents.json"), "w") as f:
                json.dump(counted, f)
            os.rename(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return folder


def small_files():
    """The folder of a layout whose one layer has 100,000 files of 1 KB in 1,000 directories; made on first use."""
    folder = os.path.join(cache(), "small")
    if not os.path.isdir(folder):
        part = f"{folder}.{os.getpid()}.part"
        print("bench: making the image of small files (only this once)", file=sys.stderr)
        try:
            tree = os.path.join(part, "tree.tar")
            os.makedirs(part)
            write_small(tree)
            many.packed(os.path.join(part, "layout"), tree)
            os.unlink(tree)
            counted = count_layers(os.path.join(part, "layout"))
            with open(os.path.join(part, "layout", "contents.json"), "w") as f:
                json.dump(counted, f)
            os.rename(os.path.join(part, "layout"), folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return folder


def write_small(path):
    """Text, so that it compresses as files of this kind do."""
    chance = random.Random(1)
    words = [chance.randbytes(4).hex() for _ in range(2000)]
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for folder in range(1000):
            top = tarfile.TarInfo(f"srv/{folder:03}")
            top.type, top.mode, top.mtime = tarfile.DIRTYPE, 0o755, 1_700_000_000
            tar.addfile(top)
            for number in range(100):
                member = tarfile.TarInfo(f"{top.name}/{number:02}.txt")
                member.size, member.mode, member.mtime = 1000, 0o644, 1_700_000_000
                tar.addfile(member, io.BytesIO(" ".join(chance.choices(words, k=120)).encode()[:1000]))


def blob(layout, digest):
    return os.path.join(layout, "blobs", *digest.split(":"))


def layers(layout):
    """The layers' descriptors, base first."""
    with open(os.path.join(layout, "index.json")) as f:
        top = json.load(f)["manifests"][0]
    with open(blob(layout, top["digest"])) as f:
        return json.load(f)["layers"]


def count_layers(layout):
    """Counts what an unpacked tree must have; the fixtures have no whiteouts, so it is the union of the layers."""
    kinds = {}
    for layer in layers(layout):
        with gzip.open(blob(layout, layer["digest"])) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                name = member.name.strip("/")
                kinds[name] = (kind_of(member), member.size if member.isreg() else 0)
                while "/" in name:
                    name = name.rpartition("/")[0]
                    kinds.setdefault(name, ("directories", 0))
    kinds.pop("", None)
    kinds.pop(".", None)
    return summed(kinds.values())


def kind_of(member):
    if member.isdir():
        return "directories"
    if member.issym():
        return "symlinks"
    return "files" if member.isreg() or member.islnk() else "others"


def count_tree(path):
    """Counts what a tree has."""
    found, todo = [], [path]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.is_symlink():
                    found.append(("symlinks", 0))
                elif entry.is_dir(follow_symlinks=False):
                    found.append(("directories", 0))
                    todo.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    found.append(("files", entry.stat(follow_symlinks=False).st_size))
                else:
                    found.append(("others", 0))
    return summed(found)


def summed(kinds):
    total = {"files": 0, "directories": 0, "symlinks": 0, "others": 0, "bytes": 0}
    for kind, size in kinds:
        total[kind] += 1
        total["bytes"] += size
    return total


def expected(layout):
    with open(os.path.join(layout, "contents.json")) as f:
        return json.load(f)


def write_large(folder, size, random):
    """Writes a layout with one layer that holds one file of `size` bytes: zeros, or what does not compress.

    The layer goes through the compressor chunk by chunk and is never held.
    """
    blobs = os.path.join(folder, "blobs/sha256")
    os.makedirs(blobs)
    member = tarfile.TarInfo("opt/large.bin")
    member.size, member.mtime = size, 0
    packed, plain = hashlib.sha256(), hashlib.sha256()
    deflate = zlib.compressobj(0 if random else 1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    part = os.path.join(blobs, "part")
    with open(part, "wb") as out:
        def put(data, last=False):
            plain.update(data)
            squeezed = deflate.compress(data) + (deflate.flush() if last else b"")
            packed.update(squeezed)
            out.write(squeezed)
        put(member.tobuf(tarfile.PAX_FORMAT))
        left = size
        while left:
            step = min(left, MB)
            put(os.urandom(step) if random else CHUNK[:step])
            left -= step
        put(bytes(-size % TAR_BLOCK + 2 * TAR_BLOCK), last=True)
    digest, length = packed.hexdigest(), os.path.getsize(part)
    os.rename(part, os.path.join(blobs, digest))

    def document(kind, value):
        data = json.dumps(value).encode()
        name = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, name), "wb") as f:
            f.write(data)
        return {"mediaType": f"application/vnd.oci.image.{kind}.v1+json", "digest": "sha256:" + name, "size": len(data)}

    config = document("config", {"architecture": "amd64", "os": "linux", "config": {},
                                 "rootfs": {"type": "layers", "diff_ids": ["sha256:" + plain.hexdigest()]}})
    manifest = document("manifest", {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config,
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "sha256:" + digest, "size": length}]})
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    with open(os.path.join(folder, "index.json"), "w") as f:
        json.dump({"schemaVersion": 2, "manifests": [manifest]}, f)
    with open(os.path.join(folder, "oci-layout"), "w") as f:
        json.dump({"imageLayoutVersion": "1.0.0"}, f)
    return length
