namespace ImageStore.Distribution.Auth;

/// <summary>What a token has to permit: nothing but what one request needs.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Actions">Such as <c>pull</c> or <c>pull,push</c>.</param>
/// <param name="MountFrom">Another repository that is read from.</param>
/// <remarks><see href="https://distribution.github.io/distribution/spec/auth/scope/">Token scope</see>.</remarks>
internal sealed record AccessScope(string Repository, string Actions, string? MountFrom = null)
{
    public const string Pull = "pull";
    public const string Push = "pull,push";

    // Distribution wants "delete", Quay refuses it; both take this.
    public const string Delete = "*";

    /// <summary>No right at all: only that one is who one says.</summary>
    public static AccessScope None { get; } = new(string.Empty, string.Empty);

    /// <summary>The scopes of a token request; some servers read only the first, so the needed one comes first.</summary>
    public IReadOnlyList<string> ToScopes() => Repository.Length == 0 ? [] : MountFrom is null
        ? [$"repository:{Repository}:{Actions}"]
        : [$"repository:{Repository}:{Actions}", $"repository:{MountFrom}:{Pull}"];

    public override string ToString() => string.Join(' ', ToScopes());
}
