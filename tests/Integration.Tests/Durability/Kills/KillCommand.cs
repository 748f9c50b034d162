namespace ImageStore.Integration.Tests.Durability.Kills;

/// <summary>A command of a random course, and what it may change.</summary>
/// <param name="Kind">By what it is counted.</param>
/// <param name="Namespace">Where it runs.</param>
/// <param name="Arguments">The command.</param>
internal sealed record KillCommand(string Kind, string Namespace, params IReadOnlyList<string> Arguments)
{
    /// <summary>The facts that it changes, each with what it makes of it.</summary>
    public IReadOnlyList<(string Key, string? Value)> Changes { get; init; } = [];

    /// <summary>Facts of which nothing is known after it.</summary>
    public IReadOnlyList<string> Blurs { get; init; } = [];

    /// <summary>The blobs that are whole after it, with the namespace.</summary>
    public IReadOnlyList<string> Brings { get; init; } = [];

    /// <summary>The blobs that it takes away from under what refers to them, with the namespace.</summary>
    public IReadOnlyList<string> Takes { get; init; } = [];

    /// <summary>The one of these that is not there after it.</summary>
    public string? Gone { get; init; }

    /// <summary>The snapshots that are there after it.</summary>
    public IReadOnlyList<string> Unpacks { get; init; } = [];

    /// <summary>The blobs that it has a lease hold, with the namespace.</summary>
    public IReadOnlyList<string> Holds { get; init; } = [];

    /// <summary>Whether it collects what nothing keeps.</summary>
    public bool Collects { get; init; }

    /// <summary>Whether it takes names away, so that snapshots may be collected from then on.</summary>
    public bool Unnames { get; init; }

    public override string ToString() => $"{string.Join(' ', Arguments)} ({Namespace})";
}
