namespace ImageStore.Snapshotters.Layers;

/// <summary>What the names of a layer's entries come to; strings are bytes in Latin-1.</summary>
internal static class LayerPath
{
    public const int MaxNameBytes = 255;

    /// <summary>Bytes of a symbolic link's target, as Linux has it.</summary>
    public const int MaxTargetBytes = 4095;

    // It is never made as a file, so what it hides may be as long as any name.
    private const int MaxWhiteoutBytes = MaxNameBytes + 4;

    /// <summary>The path without <c>.</c>, doubled slashes and inner <c>..</c>; empty for the root.</summary>
    public static string Clean(string path, LayerLimits limits)
    {
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
        {
            throw LayerFault.Corrupt("an entry's name is empty or holds a NUL byte.");
        }

        if (IsClean(path, limits))
        {
            return path;
        }

        var parts = new List<string>();
        foreach (var part in path.Split('/'))
        {
            if (part == "..")
            {
                if (parts.Count == 0)
                {
                    throw LayerFault.Corrupt($"'{LayerFault.Show(path)}' climbs out of the root.");
                }

                parts.RemoveAt(parts.Count - 1);
            }
            else if (part.Length > MaxNameBytes && !(part.StartsWith(WhiteoutNames.Prefix, StringComparison.Ordinal) && part.Length <= MaxWhiteoutBytes))
            {
                throw LayerFault.Corrupt($"'{LayerFault.Show(part[..32])}…' is a name of {part.Length} bytes, and no file system takes more than {MaxNameBytes}.");
            }
            else if (part is not ("" or "."))
            {
                parts.Add(part);
            }
        }

        return path.Length > limits.MaxPathBytes ? throw LayerFault.Limit("bytes of a path", limits.MaxPathBytes, LayerLimits.Keys.PathBytes)
            : parts.Count > limits.MaxDepth ? throw TooDeep(limits)
            : string.Join('/', parts);
    }

    /// <summary>Tells that a path has too many names.</summary>
    public static Store.Errors.ImageStoreException TooDeep(LayerLimits limits) =>
        LayerFault.Limit("directories in each other", limits.MaxDepth, LayerLimits.Keys.Depth);

    /// <summary>The path's directory, empty for the root, and its last name.</summary>
    public static (string Directory, string Name) Split(string clean) =>
        clean.LastIndexOf('/') is var slash and >= 0 ? (clean[..slash], clean[(slash + 1)..]) : (string.Empty, clean);

    // Nearly every name is; those that are not are told why by Clean.
    private static bool IsClean(ReadOnlySpan<char> path, LayerLimits limits)
    {
        var depth = 0;
        foreach (var part in path.Split('/'))
        {
            if (path[part] is "" or "." or ".." or { Length: > MaxNameBytes } || ++depth > limits.MaxDepth)
            {
                return false;
            }
        }

        return path.Length <= limits.MaxPathBytes;
    }
}
