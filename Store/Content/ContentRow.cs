namespace ImageStore.Store.Content;

/// <summary>The fact that a namespace sees a blob; the key is <c>namespace/digest</c>.</summary>
/// <param name="Size">Its bytes.</param>
/// <param name="Labels">Its labels.</param>
/// <param name="CreatedAt">When the namespace got it.</param>
/// <param name="UpdatedAt">When its labels changed last.</param>
/// <param name="Origins">The registry endpoints that sent all of its bytes to this namespace, or told its credentials that they would.
/// Labels tell more and prove less: anybody may set them.</param>
internal sealed record ContentRow(
    long Size, Dictionary<string, string> Labels, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, IReadOnlyList<string>? Origins = null)
{
    private const int MaxOrigins = 8;

    /// <summary>The same with a further origin; the oldest goes where they get many.</summary>
    public ContentRow From(string? origin) =>
        origin is null || Origins?.Contains(origin) == true ? this : this with { Origins = [.. (Origins ?? []).TakeLast(MaxOrigins - 1), origin] };
}
