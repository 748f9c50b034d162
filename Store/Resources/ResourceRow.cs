namespace ImageStore.Store.Resources;

/// <summary>What the collector has to know of a resource.</summary>
/// <param name="Resource">Which one.</param>
/// <param name="Labels">Its labels; some refer to others. Nobody changes them: it is no interface, since a collection walks over all of them.</param>
/// <param name="References">What it keeps by its nature: an image its target, a snapshot its parent, a lease what was given to it.</param>
public readonly record struct ResourceRow(Resource Resource, Dictionary<string, string> Labels, IReadOnlyList<Resource> References)
{
    /// <summary>Is it in use by itself: a snapshot that somebody writes to or reads from?</summary>
    public bool InUse { get; init; }

    /// <summary>When an image was used last.</summary>
    public DateTimeOffset UsedAt { get; init; }

    /// <summary>When a lease ends, on the clock that nobody sets; its label has the same for the other one.</summary>
    public Deadline? Ends { get; init; }

    /// <summary>Bytes, where they are known.</summary>
    public long Size { get; init; }
}
