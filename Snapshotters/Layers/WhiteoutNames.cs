namespace ImageStore.Snapshotters.Layers;

/// <summary>The names by which a layer removes what is below it (OCI image spec, layer.md, "Whiteouts").</summary>
internal static class WhiteoutNames
{
    /// <summary>Before the name of what is removed.</summary>
    public const string Prefix = ".wh.";

    /// <summary>In a directory that hides all that is below.</summary>
    public const string Opaque = ".wh..wh..opq";
}
