using ImageStore.Store.Errors;

namespace ImageStore.Shim.Invocation;

/// <summary>What containerd starts a shim with. Flags have one dash or two, and their value after a space or <c>=</c>.</summary>
internal sealed class ShimArguments
{
    /// <summary>containerd's namespace.</summary>
    public string Namespace { get; private set; } = string.Empty;

    /// <summary>The container.</summary>
    public string Id { get; private set; } = string.Empty;

    /// <summary>containerd's gRPC socket.</summary>
    public string Address { get; private set; } = string.Empty;

    /// <summary>The bundle, where it is not the working directory.</summary>
    public string Bundle { get; private set; } = string.Empty;

    /// <summary>Is more written to the log?</summary>
    public bool IsDebugging { get; private set; }

    /// <summary>Is the version asked for?</summary>
    public bool IsVersionAsked { get; private set; }

    /// <summary>Is it asked what this is?</summary>
    public bool IsInfoAsked { get; private set; }

    /// <summary><c>start</c>, <c>delete</c>, or empty for the shim itself.</summary>
    public string Action { get; private set; } = string.Empty;

    /// <summary>Reads them.</summary>
    /// <exception cref="ImageStoreException">One is not known, or has no value.</exception>
    public static ShimArguments Parse(IReadOnlyList<string> arguments)
    {
        var parsed = new ShimArguments();
        for (var at = 0; at < arguments.Count; at++)
        {
            var word = arguments[at];
            if (!word.StartsWith('-'))
            {
                parsed.Action = word;
                break;
            }

            var name = word.TrimStart('-');
            var equals = name.IndexOf('=', StringComparison.Ordinal);
            if (parsed.TrySetFlag(name))
            {
                continue;
            }

            var value = equals >= 0 ? name[(equals + 1)..] : ++at < arguments.Count ? arguments[at] : throw Wrong(word, "has no value");
            parsed.Set(equals >= 0 ? name[..equals] : name, value);
        }

        return parsed;
    }

    private static ImageStoreException Wrong(string word, string what) =>
        new(ErrorKind.InvalidArgument, $"The flag {Printable.Of(word)} {what}.", "containerd starts this program: see docs/shim.md.");

    private bool TrySetFlag(string name)
    {
        switch (name)
        {
            case "debug":
                return IsDebugging = true;
            case "v" or "version":
                return IsVersionAsked = true;
            case "info":
                return IsInfoAsked = true;
            default:
                return false;
        }
    }

    private void Set(string name, string value)
    {
        switch (name)
        {
            case "namespace":
                Namespace = value;
                break;
            case "id":
                Id = value;
                break;
            case "address":
                Address = value;
                break;
            case "bundle":
                Bundle = value;
                break;
            case "publish-binary" or "socket" or "debug-socket":
                // Of other times: events go over a socket, and the socket is inherited.
                break;
            default:
                throw Wrong("-" + name, "is not known");
        }
    }
}
