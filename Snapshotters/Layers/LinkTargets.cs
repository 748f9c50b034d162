namespace ImageStore.Snapshotters.Layers;

/// <summary>Finds what a path stands for in a layer on top of those below it, symbolic links of all of them followed.</summary>
/// <remarks>
/// containerd applies a layer to the mounted stack, so there a hard link's target may be named through any link. Here
/// nothing is mounted: links are read one by one, each against the root, and the kernel follows none of them.
/// </remarks>
internal static class LinkTargets
{
    private const int MaxLinks = 40;

    /// <summary>The path with the links on its way followed; its last name stays what it is.</summary>
    /// <param name="path">Clean, in Latin-1.</param>
    /// <param name="linkAt">Where the symbolic link at a path leads to, or null where there is none.</param>
    /// <exception cref="Store.Errors.ImageStoreException">The links form a loop.</exception>
    public static string Real(string path, Func<string, string?> linkAt)
    {
        var rest = new Stack<string>(path.Split('/').Reverse());
        List<string> real = [];
        for (var links = 0; rest.TryPop(out var part);)
        {
            if (part is "" or ".")
            {
                continue;
            }

            if (part == "..")
            {
                // As in a root directory, whose parent it is itself.
                real = real.Count == 0 ? real : real[..^1];
                continue;
            }

            real.Add(part);
            if (rest.Count == 0 || linkAt(string.Join('/', real)) is not { } target)
            {
                continue;
            }

            if (++links > MaxLinks)
            {
                throw LayerFault.Corrupt($"the symbolic links of '{LayerFault.Show(path)}' form a loop.");
            }

            real = target.StartsWith('/') ? [] : real[..^1];
            foreach (var step in target.Split('/').Reverse())
            {
                rest.Push(step);
            }
        }

        return string.Join('/', real);
    }
}
