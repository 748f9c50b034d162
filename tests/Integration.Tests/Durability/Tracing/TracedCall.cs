namespace ImageStore.Integration.Tests.Durability.Tracing;

/// <summary>One system call of a traced program.</summary>
/// <param name="Name">Such as <c>openat</c>.</param>
/// <param name="Arguments">As strace prints them.</param>
/// <param name="Entered">The number of the event at which it began.</param>
internal sealed record TracedCall(string Name, IReadOnlyList<string> Arguments, int Entered)
{
    /// <summary>The number of the event at which it ended.</summary>
    public int Left { get; init; }

    /// <summary>What it returned, or null when its thread died in it.</summary>
    public long? Result { get; init; }

    /// <summary>Whether the result is a failure that strace put in its place.</summary>
    public bool Injected { get; init; }

    public bool Succeeded => Result >= 0;
}
