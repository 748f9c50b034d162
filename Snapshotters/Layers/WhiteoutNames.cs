namespace ImageStore.Snapshotters.Layers;

/// <summary>The names by which a layer removes what is below it (OCI image spec, layer.md, "Whiteouts").</summary>
internal static class WhiteoutNames
{
    /// <summary>Before the name of what is removed.</summary>
    public const string Prefix = ".wh.";

    /// <summary>In a directory that hides all that is below.</summary>
    public const string Opaque = ".wh..wh..opq";

    /// <summary>The directory where AUFS kept files that have several names; layers of that time point into it.</summary>
    public const string AufsLinks = AufsPrefix + "plnk";

    private const string AufsPrefix = ".wh..wh.";

    /// <summary>Is it what AUFS kept for itself in the root of a layer?</summary>
    public static bool IsAufs(string path) =>
        path.StartsWith(AufsPrefix, StringComparison.Ordinal) && path != Opaque;
}
