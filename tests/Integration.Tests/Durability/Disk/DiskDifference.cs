namespace ImageStore.Integration.Tests.Durability.Disk;

/// <summary>Compares two states of a disk by path.</summary>
internal static class DiskDifference
{
    /// <summary>What differs, one line a path; times are not compared, nor which names are one file.</summary>
    public static IReadOnlyList<string> Of(DiskState expected, DiskState actual)
    {
        var (left, right) = (Flatten(expected), Flatten(actual));
        return [.. left.Keys.Union(right.Keys)
            .Where(path => left.GetValueOrDefault(path) != right.GetValueOrDefault(path))
            .Select(path => $"{path}: {left.GetValueOrDefault(path, "nothing")} but {right.GetValueOrDefault(path, "nothing")}")];
    }

    /// <summary>One text for each path; equal states give equal texts.</summary>
    public static SortedDictionary<string, string> Flatten(DiskState state)
    {
        SortedDictionary<string, string> rows = new(StringComparer.Ordinal);
        Add(state.Root, string.Empty);
        return rows;

        void Add(Inode inode, string path)
        {
            foreach (var (name, child) in state[inode].Entries)
            {
                var its = state[child];
                var attributes = its.Attributes.Where(pair => pair.Key != InodeState.Time).Select(pair => $"{pair.Key}={pair.Value}");
                var content = child.Kind == InodeKind.File
                    ? $"{its.Length} {Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(its.Bytes))[..16]}"
                    : child.Detail;
                rows[$"{path}{name}"] = $"{child.Kind} {content} {string.Join(' ', attributes)}";
                if (child.Kind == InodeKind.Directory)
                {
                    Add(child, $"{path}{name}/");
                }
            }
        }
    }
}
