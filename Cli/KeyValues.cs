using System.CommandLine;
using ImageStore.Store.Errors;

namespace ImageStore.Cli;

/// <summary>Labels as users write them: <c>KEY=VALUE</c>.</summary>
internal static class KeyValues
{
    public static Argument<string[]> Argument() => new("KEY=VALUE") { Description = "Labels", Arity = ArgumentArity.ZeroOrMore };

    /// <summary>The labels; of several with one key the last counts.</summary>
    /// <exception cref="ImageStoreException">One has no value (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static Dictionary<string, string> Parse(IEnumerable<string>? words)
    {
        Dictionary<string, string> labels = new(StringComparer.Ordinal);
        foreach (var word in words ?? [])
        {
            var equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new ImageStoreException(ErrorKind.InvalidArgument, $"'{Printable.Of(word)}' is no label with a value.", "Write KEY=VALUE.");
            }

            labels[word[..equals]] = word[(equals + 1)..];
        }

        return labels;
    }
}
