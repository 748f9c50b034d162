namespace ImageStore.Snapshotters.Tests.Layers.Differential;

/// <summary>Random decisions that depend on what they are about and not on what was decided before, so that a course can be shrunk.</summary>
internal readonly record struct Choices(int Seed)
{
    private const uint Prime = 16777619;

    /// <summary>A number below <paramref name="count"/>.</summary>
    public int Of(string what, string path, int count)
    {
        var hash = 2166136261 ^ (uint)Seed;
        foreach (var c in what + "\n" + path)
        {
            hash = (hash ^ c) * Prime;
        }

        // The low bits of such a hash are poor.
        hash ^= hash >> 15;
        hash *= 0x2c1b3c6d;
        hash ^= hash >> 12;
        return (int)(hash % (uint)count);
    }

    public bool OneIn(int count, string what, string path) => Of(what, path, count) == 0;
}
