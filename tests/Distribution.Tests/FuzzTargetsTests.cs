using ImageStore.Fuzz;

namespace ImageStore.Distribution.Tests;

/// <summary>What fuzzing starts from, and what it once found; with some damage added. <c>tests/Fuzz/run</c> looks for more.</summary>
public sealed class FuzzTargetsTests
{
    private const int Damaged = 200;

    public static TheoryData<string> Seeds => [.. Directory
        .EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(Folder, path))
        .Order(StringComparer.Ordinal)];

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "seeds");

    [Fact]
    public void Targets_HaveSeeds() => Assert.Equal(FuzzTargets.All.Keys, Directory.EnumerateDirectories(Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Target_OfASeed_ReadsItOrRefusesIt(string seed)
    {
        var target = FuzzTargets.All[Path.GetDirectoryName(seed)!];
        var bytes = File.ReadAllBytes(Path.Combine(Folder, seed));
        target(bytes);
        target([]);
        var random = new Random(7);
        for (var i = 0; i < Damaged; i++)
        {
            target(Damage(bytes, random));
        }
    }

    private static byte[] Damage(byte[] bytes, Random random)
    {
        var damaged = bytes.ToArray();
        var at = random.Next(damaged.Length);
        switch (random.Next(4))
        {
            case 0:
                damaged[at] = (byte)random.Next(256);
                return damaged;
            case 1:
                return damaged[..at];
            case 2:
                return [.. damaged[..at], .. damaged[random.Next(at, damaged.Length)..]];
            default:
                return [.. damaged[..at], .. damaged[random.Next(damaged.Length)..]];
        }
    }
}
