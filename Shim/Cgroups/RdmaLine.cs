namespace ImageStore.Shim.Cgroups;

/// <summary>What a cgroup has, or may have, of an RDMA device: a line of <c>mlx4_0 hca_handle=2 hca_object=max</c>.</summary>
/// <param name="Device">Its name.</param>
/// <param name="Handles">Of the adapter.</param>
/// <param name="Objects">Of the adapter.</param>
internal readonly record struct RdmaLine(string Device, uint Handles, uint Objects)
{
    private const string Unlimited = "max";

    /// <summary>The lines of a file; none where the kernel does not keep it.</summary>
    public static IEnumerable<RdmaLine> Read(string folder, string name) => CgroupFile.Lines(folder, name)
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Where(words => words.Length > 0)
        .Select(words => new RdmaLine(words[0], Of(words, "hca_handle="), Of(words, "hca_object=")));

    private static uint Of(string[] words, string name) => words.FirstOrDefault(word => word.StartsWith(name, StringComparison.Ordinal)) is not { } word
        ? 0
        : word[name.Length..] == Unlimited ? uint.MaxValue : (uint)Math.Min(CgroupFile.Parse(word[name.Length..]), uint.MaxValue);
}
