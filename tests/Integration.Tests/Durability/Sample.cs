namespace ImageStore.Integration.Tests.Durability;

/// <summary>A part of what could be tried, spread over all of it.</summary>
internal static class Sample
{
    /// <summary>About <paramref name="count"/> of them, one by chance out of each stretch, in their order.</summary>
    public static IEnumerable<T> Of<T>(IReadOnlyList<T> all, int count)
    {
        var random = new Random(Settings.Seed);
        var stride = (double)all.Count / count;
        return stride <= 1 ? all : Enumerable.Range(0, count).Select(i => all[(int)((i + random.NextDouble()) * stride)]);
    }
}
