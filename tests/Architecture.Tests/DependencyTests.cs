using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace ImageStore.Architecture.Tests;

/// <summary>Arrows point down, and siblings never see each other.</summary>
public sealed class DependencyTests
{
    private static readonly Dictionary<string, string[]> s_below = new()
    {
        ["Store"] = [],
        ["Distribution"] = ["Store"],
        ["Snapshotters"] = ["Store"],
        ["Gc"] = ["Store"],
        ["Runtime"] = ["Store"],
        ["Shim"] = ["Runtime"],
        ["Engine"] = ["Store", "Distribution", "Snapshotters", "Gc", "Runtime"],
        ["Daemon"] = ["Engine"],
        ["Cli"] = ["Engine"],
    };

    public static TheoryData<string> Projects => [.. Repository.Projects];

    [Fact]
    public void Projects_AreFound() => Assert.Empty(
        ((string[])["Store", "Distribution", "Snapshotters", "Gc", "Runtime", "Shim", "Engine", "Daemon", "Cli"]).Except(Repository.Projects));

    [Theory]
    [MemberData(nameof(Projects))]
    public void ProjectReferences_OfAProject_PointDown(string project)
    {
        Assert.True(s_below.ContainsKey(project), $"{project} has no place in the design: add it to this test and to the design.");
        Assert.Empty(Repository.ReferencesOf(project).Except(s_below[project]));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void AssemblyReferences_OfAProject_PointDown(string project)
    {
        using var file = new PEReader(File.OpenRead(Repository.Assembly(project)));
        var metadata = file.GetMetadataReader();
        var seen = metadata.AssemblyReferences
            .Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))
            .Where(name => name.StartsWith("ImageStore.", StringComparison.Ordinal))
            .Select(name => name["ImageStore.".Length..])
            .ToList();

        // Types of lower libraries are seen through those between.
        Assert.Empty(seen.Except(AllBelow(project)));
        Assert.True(project == "Store" || seen.Count > 0, "nothing was read");
    }

    [Theory]
    [InlineData("Distribution")]
    [InlineData("Snapshotters")]
    [InlineData("Gc")]
    [InlineData("Runtime")]
    [InlineData("Shim")]
    [InlineData("Engine")]
    [InlineData("Daemon")]
    [InlineData("Cli")]
    public void Database_IsTheStoresOwn(string project)
    {
        using var file = new PEReader(File.OpenRead(Repository.Assembly(project)));
        var metadata = file.GetMetadataReader();
        Assert.DoesNotContain(
            "LiteDB", metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name)));
    }

    private static HashSet<string> AllBelow(string project) =>
        [.. s_below[project], .. s_below[project].SelectMany(AllBelow)];
}
