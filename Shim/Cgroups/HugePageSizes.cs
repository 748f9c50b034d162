namespace ImageStore.Shim.Cgroups;

/// <summary>The sizes of huge pages that a cgroup counts, such as <c>2MB</c>.</summary>
internal static class HugePageSizes
{
    private const string Prefix = "hugetlb.";

    /// <summary>Those that have a file of a kind; none where the cgroup has gone.</summary>
    public static IReadOnlyList<string> In(string folder, string suffix)
    {
        try
        {
            return
            [
                .. Directory.EnumerateFiles(folder, Prefix + "*" + suffix)
                    .Select(file => Path.GetFileName(file)[Prefix.Length..^suffix.Length])
                    .Where(size => !size.Contains('.', StringComparison.Ordinal))
                    .Order(StringComparer.Ordinal),
            ];
        }
        catch (IOException)
        {
            return [];
        }
    }
}
