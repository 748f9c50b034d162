using System.Globalization;
using ImageStore.Runtime.Host;
using ImageStore.Runtime.Spec;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Options;

/// <summary>A limit as users of docker write it.</summary>
public static class UlimitText
{
    private const string Prefix = "RLIMIT_";

    /// <summary>Reads <c>nofile=SOFT[:HARD]</c>; <c>-1</c> and <c>unlimited</c> are none.</summary>
    /// <exception cref="ImageStoreException">It is none (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static RlimitSpec Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var name = (equals < 0 ? text : text[..equals]).ToUpperInvariant();
        var type = name.StartsWith(Prefix, StringComparison.Ordinal) ? name : Prefix + name;
        if (!HostLimits.Types.Contains(type))
        {
            throw Wrong(text, "names no limit");
        }

        var values = equals < 0 ? [] : text[(equals + 1)..].Split(':');
        return values.Length is 1 or 2 && Value(values[0]) is { } soft && Value(values[^1]) is { } hard
            ? soft <= hard ? new RlimitSpec(type, hard, soft) : throw Wrong(text, "has a soft limit above the hard one")
            : throw Wrong(text, "has no number");
    }

    private static ulong? Value(string text) =>
        text is "-1" or "unlimited" ? RlimitSpec.Unlimited
        : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value
        : null;

    private static ImageStoreException Wrong(string text, string why) => OptionFault.Of(
        "--ulimit", text, why, "Write NAME=SOFT or NAME=SOFT:HARD, such as nofile=1024:4096; the names are those of setrlimit(2) in lower case.");
}
