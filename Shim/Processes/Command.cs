using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Processes;

/// <summary>A program to run.</summary>
/// <param name="Program">A path, or a name that PATH has.</param>
/// <param name="Arguments">Without the program's own name.</param>
internal sealed record Command(string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>What it has as 0, 1 and 2; null where it has nothing to read and its output is kept.</summary>
    public IReadOnlyList<SafeFileHandle>? Descriptors { get; init; }

    /// <summary>What it has in its environment beside what all have: <c>NAME=value</c>.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];
}
