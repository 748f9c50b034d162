namespace ImageStore.Integration.Tests.Durability.Disk;

/// <summary>Which of the changes that no sync has made durable a power cut leaves.</summary>
/// <param name="Name">What it is called in messages.</param>
/// <param name="Names">The share of the changes of names that survive.</param>
/// <param name="Data">The share of the changes of contents that survive whole.</param>
/// <param name="Torn">The share of the other writes that survive sector by sector.</param>
/// <param name="Holes">The share of the rest whose size survives without bytes.</param>
/// <param name="SameBoot">Whether the machine goes on: only a process has died.</param>
internal sealed record CutVariant(string Name, double Names, double Data, double Torn, double Holes, bool SameBoot = false)
{
    /// <summary>A process that is killed loses nothing that it did.</summary>
    public static CutVariant Kill { get; } = new("kill", 1, 1, 0, 0, SameBoot: true);

    public static CutVariant Lost { get; } = new("lost", 0, 0, 0, 0);

    /// <summary>The systematic ones.</summary>
    public static IReadOnlyList<CutVariant> Fixed { get; } =
    [
        Lost,
        Kill,
        new("all", 1, 1, 0, 0),
        new("names", 1, 0, 0, 0),
        new("data", 0, 1, 0, 0),
        new("holes", 1, 0, 0, 1),
    ];

    /// <summary>Random subsets, with tearing.</summary>
    public static IReadOnlyList<CutVariant> Seeded { get; } =
    [
        new("random1", 0.5, 0.4, 0.5, 0.3),
        new("random2", 0.8, 0.2, 0.5, 0.5),
        new("random3", 0.3, 0.8, 0.7, 0.2),
    ];

    public static IReadOnlyList<CutVariant> All { get; } = [.. Fixed, .. Seeded];

    /// <summary>The same chances for the same seed and place.</summary>
    public Random RandomFor(int seed, int cut)
    {
        const int Mixer = 31;
        var mixed = seed;
        foreach (var c in Name)
        {
            mixed = unchecked((mixed * Mixer) + c);
        }

        return new Random(unchecked((mixed * Mixer) + cut));
    }

    public override string ToString() => Name;
}
