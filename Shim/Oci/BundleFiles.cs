using System.Globalization;

namespace ImageStore.Shim.Oci;

/// <summary>Where things are in a bundle, by the names that containerd's shims give them.</summary>
internal sealed class BundleFiles(string bundle)
{
    private int _scratches;

    /// <summary>Where the bundle is, as it was said.</summary>
    public string Path => bundle;

    /// <summary>Where the container's root is mounted.</summary>
    public string Rootfs => At("rootfs");

    /// <summary>Where the runtime writes the first process's id.</summary>
    public string InitPid => At("init.pid");

    /// <summary>The options by which the container is deleted where its shim cannot do it any more.</summary>
    public string Options => At("options.json");

    /// <summary>Where the shim listens.</summary>
    public string Address => At("address");

    /// <summary>The runtime's name alone, for others who look.</summary>
    public string Runtime => At("runtime");

    /// <summary>What outlives the container: containerd's link into its root.</summary>
    public string Work => At("work");

    /// <summary>A name for a file that is needed once; whoever else works on the bundle has another.</summary>
    public ScratchFile Scratch() =>
        new(At(string.Create(CultureInfo.InvariantCulture, $".scratch-{Environment.ProcessId}-{++_scratches}")));

    private string At(string name) => System.IO.Path.Combine(bundle, name);
}
