using System.Security.Cryptography;
using System.Text;
using ImageStore.Shim.Oci;

namespace ImageStore.Shim.Invocation;

/// <summary>Where a shim listens, by what containerd's own shims are found by as well.</summary>
internal static class SocketAddress
{
    private const string Directory = "/run/containerd/s";
    private const string Prefix = "unix://";

    // A pod's containers have one shim.
    private static readonly string[] s_groups = ["io.containerd.runc.v2.group", "io.kubernetes.cri.sandbox-id"];

    /// <summary>The file of the socket.</summary>
    /// <param name="directory">Where sockets are, or empty for the common place.</param>
    /// <param name="containerd">containerd's own socket, so that two of them do not meet.</param>
    /// <param name="tenant">containerd's namespace.</param>
    /// <param name="group">Of <see cref="GroupOf"/>.</param>
    public static string PathOf(string directory, string containerd, string tenant, string group)
    {
        var name = SHA256.HashData(Encoding.UTF8.GetBytes(Path.Join(containerd, tenant, group)));
        return Path.Combine(directory.Length > 0 ? directory : Directory, Convert.ToHexStringLower(name));
    }

    /// <summary>The file of an address; null where it is of another kind.</summary>
    public static string? PathIn(string uri) => uri.StartsWith(Prefix + "/", StringComparison.Ordinal) ? uri[Prefix.Length..] : null;

    /// <summary>The address of a file.</summary>
    public static string UriOf(string path) => Prefix + path;

    /// <summary>Whom a container shares its shim with: a group that its annotations name, else nobody.</summary>
    public static string GroupOf(BundleSpec spec, string id) =>
        s_groups.Select(name => spec.Annotations.GetValueOrDefault(name)).FirstOrDefault(group => !string.IsNullOrEmpty(group)) ?? id;
}
