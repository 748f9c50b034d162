namespace ImageStore.Shim.Cgroups;

/// <summary>The sizes of huge pages that a cgroup counts, such as <c>2MB</c>.</summary>
internal static class HugePageSizes
{
    private const string Prefix = "hugetlb.";

    public static IEnumerable<string> In(string folder, string suffix) =>
        Directory.EnumerateFiles(folder, Prefix + "*" + suffix)
            .Select(file => Path.GetFileName(file)[Prefix.Length..^suffix.Length])
            .Where(size => !size.Contains('.', StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);
}
