namespace ImageStore.Store.Errors;

/// <summary>A failure that is reported to the user as it stands: what failed and why, and what to do about it.</summary>
/// <remarks>The message must carry no credential and no control character from outside: see <see cref="Printable"/>.</remarks>
public sealed class ImageStoreException : Exception
{
    /// <summary>Makes an error of <paramref name="kind"/>.</summary>
    /// <param name="kind">The class that callers branch on.</param>
    /// <param name="message">One sentence: the thing's name, then the reason.</param>
    /// <param name="remedy">One sentence that says what to do, or null where nothing can be done.</param>
    /// <param name="inner">The cause, kept for logs.</param>
    public ImageStoreException(ErrorKind kind, string message, string? remedy = null, Exception? inner = null)
        : base(message, inner)
    {
        Kind = kind;
        Remedy = remedy;
    }

    /// <summary>The class of the failure.</summary>
    public ErrorKind Kind { get; }

    /// <summary>What the user can do about it, or null.</summary>
    public string? Remedy { get; }
}
