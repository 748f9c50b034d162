using ImageStore.Store.Errors;

namespace ImageStore.Engine.Serving;

/// <summary>Tells a root that a daemon serves from one that a command has for a moment.</summary>
public static class ServedRoot
{
    private const string Prefix = "the daemon on ";

    /// <summary>What others are told has the root.</summary>
    public static string Holder(string address) => Prefix + address;

    /// <summary>Is that a daemon? It is not worth to wait for one.</summary>
    public static bool IsDaemon(string holder)
    {
        ArgumentNullException.ThrowIfNull(holder);
        return holder.StartsWith(Prefix, StringComparison.Ordinal);
    }

    /// <summary>Refuses a command what it would wait for as long as the daemon runs.</summary>
    /// <exception cref="ImageStoreException">A daemon has the root (<see cref="ErrorKind.FailedPrecondition"/>).</exception>
    public static void RefuseCommand(string root, string holder)
    {
        if (IsDaemon(holder))
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"The root {Printable.Of(root)} is served by {holder}, which alone may change it.",
                $"Ask it, such as with 'ctr -a {Address(holder)}', or stop it first.");
        }
    }

    /// <summary>Refuses another daemon.</summary>
    /// <exception cref="ImageStoreException">A daemon has the root (<see cref="ErrorKind.FailedPrecondition"/>).</exception>
    public static void RefuseDaemon(string root, string holder)
    {
        if (IsDaemon(holder))
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"The root {Printable.Of(root)} is served already, by {holder}.",
                "Stop that daemon first, or choose another directory with --root.");
        }
    }

    /// <summary>Where the daemon is asked that has the root; null where it is no daemon.</summary>
    public static string? AddressOf(string holder) => IsDaemon(holder) ? Address(holder) : null;

    // What stands behind it says which process that is.
    private static string Address(string holder) =>
        holder.LastIndexOf(" (", StringComparison.Ordinal) is var end && end > Prefix.Length ? holder[Prefix.Length..end] : holder[Prefix.Length..];
}
