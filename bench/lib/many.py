"""A set of images as one OCI layout: many tags, several platforms each, bases that are shared. The same bytes each time."""
import gzip
import hashlib
import json
import os
import random

MB = 1 << 20
PLATFORMS = ["amd64", "arm64", "riscv64", "s390x", "ppc64le", "386", "mips64le", "arm"]
OCI = "application/vnd.oci.image"


class Layout:
    def __init__(self, folder):
        self.folder, self.bytes, self._entries = folder, 0, []
        os.makedirs(os.path.join(folder, "blobs/sha256"))
        with open(os.path.join(folder, "oci-layout"), "w") as f:
            f.write('{"imageLayoutVersion":"1.0.0"}')

    def blob(self, data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        path = os.path.join(self.folder, "blobs/sha256", digest)
        if not os.path.exists(path):
            self.bytes += len(data)
            with open(path, "wb") as f:
                f.write(data)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

    def document(self, value, media_type):
        return self.blob(json.dumps(value).encode(), media_type)

    def layer(self, seed, size):
        """Bytes that do not compress, in a gzip of level 0, so that a set of any size is made in no time."""
        raw = random.Random(seed).randbytes(size)
        packed = gzip.compress(raw, 0, mtime=0)
        return self.blob(packed, OCI + ".layer.v1.tar+gzip"), "sha256:" + hashlib.sha256(raw).hexdigest()

    def large(self, seed, size_mb):
        """Bytes that do not compress and are no tar: only for who copies blobs and never looks into them."""
        part, pieces = os.path.join(self.folder, "part"), random.Random(seed)
        with open(part, "wb") as f, gzip.GzipFile("", "wb", 0, f, 0) as packed:
            for _ in range(size_mb):
                packed.write(pieces.randbytes(MB))
        with open(part, "rb") as f:
            digest, size = hashlib.file_digest(f, "sha256").hexdigest(), os.fstat(f.fileno()).st_size
        os.rename(part, os.path.join(self.folder, "blobs/sha256", digest))
        self.bytes += size
        return {"mediaType": OCI + ".layer.v1.tar+gzip", "digest": "sha256:" + digest, "size": size}

    def image(self, layers, architecture):
        config = self.document({"architecture": architecture, "os": "linux", "config": {},
                                "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in layers]}},
                               OCI + ".config.v1+json")
        return self.document({"schemaVersion": 2, "mediaType": OCI + ".manifest.v1+json", "config": config,
                              "layers": [layer for layer, _ in layers]}, OCI + ".manifest.v1+json")

    def index(self, manifests):
        return self.document({"schemaVersion": 2, "mediaType": OCI + ".index.v1+json", "manifests": [
            {**manifest, "platform": {"architecture": arch, "os": "linux"}} for arch, manifest in manifests]},
            OCI + ".index.v1+json")

    def name(self, descriptor, tag):
        self._entries.append({**descriptor, "annotations": {"org.opencontainers.image.ref.name": tag}})

    def finish(self):
        with open(os.path.join(self.folder, "index.json"), "w") as f:
            json.dump({"schemaVersion": 2, "manifests": self._entries}, f)


def make(folder, images, platforms, base_mb=3, own_mb=1):
    """A layout with the tags image0, image1 ..., each an index; bases are shared by all images of a platform."""
    layout = Layout(folder)
    for number in range(images):
        manifests = []
        for place, arch in enumerate(PLATFORMS[:platforms]):
            layers = [layout.layer(f"base {arch}", base_mb * MB), layout.layer(f"own {number} {arch}", own_mb * MB),
                      layout.layer(f"small {number} {arch}", 64 << 10)]
            manifests.append((arch, layout.image(layers, arch)))
        layout.name(layout.index(manifests), f"image{number}")
    layout.finish()
    return layout


def one(folder, layers_mb):
    """A layout with one image, `latest`, with layers of the given sizes; written piece by piece, so of any size."""
    layout = Layout(folder)
    layers = [layout.large(f"layer {i}", size) for i, size in enumerate(layers_mb)]
    layout.name(layout.image([(layer, layer["digest"]) for layer in layers], "amd64"), "latest")
    layout.finish()
    return layout


def packed(folder, tar):
    """A layout with one image, `latest`, of one layer: a tar of a file, in gzip."""
    layout = Layout(folder)
    with open(tar, "rb") as f:
        raw = f.read()
    layer = layout.blob(gzip.compress(raw, 6, mtime=0), OCI + ".layer.v1.tar+gzip")
    layout.name(layout.image([(layer, "sha256:" + hashlib.sha256(raw).hexdigest())], "amd64"), "latest")
    layout.finish()
