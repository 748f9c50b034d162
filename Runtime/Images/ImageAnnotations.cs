namespace ImageStore.Runtime.Images;

/// <summary>What a bundle's annotations tell of its image.</summary>
/// <remarks>
/// As the <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/conversion.md">image spec's conversion</see> says, but
/// for labels that runtimes take as orders: an image must not choose a handler, a systemd property or a sandbox.
/// </remarks>
internal static class ImageAnnotations
{
    private const string Own = "org.opencontainers.image.";

    // Of containerd and CRI, CRI-O and podman, Kubernetes, crun, runc, Kata and gVisor.
    private static readonly string[] s_orders =
    [
        "containerd.io/", "io.containerd.", "io.cri-containerd", "io.kubernetes.", "io.podman.", "io.container.", "io.containers.", "cdi.k8s.io/", "io.crun.", "run.oci.",
        "module.wasm.", "org.systemd.property.", "org.criu.", "org.opencontainers.runc.", "io.katacontainers.", "dev.gvisor.",
        "com.github.containers.", "imagestore/",
    ];

    public static SortedDictionary<string, string> Of(ImageProcess image)
    {
        SortedDictionary<string, string> result = new(StringComparer.Ordinal);
        foreach (var (name, value) in ((string, string?)[])
        [
            ("os", image.Origin.Os), ("architecture", image.Origin.Architecture), ("variant", image.Origin.Variant),
            ("author", image.Origin.Author), ("created", image.Origin.Created), ("stopSignal", image.StopSignal),
        ])
        {
            if (!string.IsNullOrEmpty(value))
            {
                result[Own + name] = value;
            }
        }

        foreach (var (name, value) in image.Labels ?? new Dictionary<string, string>())
        {
            if (name.Length > 0 && !s_orders.Any(order => name.StartsWith(order, StringComparison.OrdinalIgnoreCase)))
            {
                result[name] = value;
            }
        }

        return result;
    }
}
