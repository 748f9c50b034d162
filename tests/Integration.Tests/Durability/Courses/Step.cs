using ImageStore.Integration.Tests.Durability.Checks;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>One command of a course.</summary>
/// <param name="Namespace">Where it runs.</param>
/// <param name="Arguments">The command.</param>
/// <param name="Effect">What it acknowledges with the exit code 0.</param>
internal sealed record Step(string Namespace, IReadOnlyList<string> Arguments, Func<Facts, Facts> Effect)
{
    /// <summary>What strace does to it so that it dies half-way, or null; its <see cref="Effect"/> is that of its repeat.</summary>
    public string? Death { get; init; }

    /// <summary>Whether a root shows that it is done already: the exit code that a repeat then ends with, or 0.</summary>
    public Func<StoreView, int> DoneCode { get; init; } = _ => 0;

    public override string ToString() => $"{string.Join(' ', Arguments)} ({Namespace}{(Death is null ? string.Empty : ", killed")})";
}
