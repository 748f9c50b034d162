using System.Text;
using ImageStore.Runtime.Protocol.Runc;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Shim.Oci;
using ImageStore.Store.Configuration;
using ImageStore.Store.Errors;
using Wired = ImageStore.Runtime.Protocol.Bootstrap.GenericOptions;

namespace ImageStore.Shim.Tasks;

/// <summary>The options of clients that do not know this runtime: <c>ctr run --runtime-config-path</c>, and the CRI's <c>options</c>.</summary>
/// <remarks>They are TOML with the names that containerd's configuration has for runc.</remarks>
internal static class GenericOptions
{
    private const int LargestFile = 1 << 20;

    private static readonly string[] s_known =
    [
        "NoPivotRoot", "NoNewKeyring", "ShimCgroup", "IoUid", "IoGid", "BinaryName", "Root", "SystemdCgroup", "CriuImagePath", "CriuWorkPath",
    ];

    /// <summary>Reads them.</summary>
    /// <exception cref="RpcException">There is no such file.</exception>
    /// <exception cref="ImageStoreException">It is malformed, or has a name that is not known.</exception>
    public static Options Read(Wired generic)
    {
        var path = generic.ConfigPath;
        var text = path.Length == 0
            ? generic.ConfigBody.ToByteArray()
            : BoundedFile.TryRead(path, LargestFile) ?? throw new RpcException(RpcCode.NotFound, $"There is no {Printable.Of(path)}, which the options name.");
        var table = TomlTable.Parse(Encoding.UTF8.GetString(text), path.Length > 0 ? path : "the runtime's options");
        table.Allow(s_known.Contains);
        return new Options
        {
            NoPivotRoot = table.Find("NoPivotRoot")?.Truth ?? false,
            NoNewKeyring = table.Find("NoNewKeyring")?.Truth ?? false,
            ShimCgroup = Text(table, "ShimCgroup"),
            IoUid = Number(table, "IoUid"),
            IoGid = Number(table, "IoGid"),
            BinaryName = Text(table, "BinaryName"),
            Root = Text(table, "Root"),
            SystemdCgroup = table.Find("SystemdCgroup")?.Truth ?? false,
            CriuImagePath = Text(table, "CriuImagePath"),
            CriuWorkPath = Text(table, "CriuWorkPath"),
        };
    }

    private static string Text(TomlTable table, string name) => table.Find(name)?.Text ?? string.Empty;

    private static uint Number(TomlTable table, string name) => (uint)Math.Clamp(table.Find(name)?.Number ?? 0, 0, uint.MaxValue);
}
