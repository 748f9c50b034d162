using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Options;

/// <summary>Variables as users of docker write them.</summary>
public static class EnvironmentText
{
    private const int MaxFileBytes = 1 << 20;
    private const string Option = "--env";

    /// <summary>Reads <c>NAME=VALUE</c>, or <c>NAME</c> alone for what the caller's own environment has.</summary>
    /// <param name="text">What was written.</param>
    /// <param name="own">The caller's environment.</param>
    /// <exception cref="ImageStoreException">It has no name (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static EnvironmentChange Parse(string text, Func<string, string?> own)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(own);
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? text : text[..equals];
        return IsName(name)
            ? new EnvironmentChange(name, equals < 0 ? own(name) : text[(equals + 1)..])
            : throw OptionFault.Of(Option, text, "has no name", "Write NAME=VALUE, or NAME for your own value of it.");
    }

    /// <summary>Reads a file of lines <c>NAME=VALUE</c>; empty lines and those that begin with # say nothing.</summary>
    /// <remarks>A name alone is refused: a file may be somebody else's, who is not to choose what is taken from the caller.</remarks>
    /// <exception cref="ImageStoreException">The file cannot be read, or a line is none (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static IReadOnlyList<EnvironmentChange> ReadFile(string path)
    {
        List<EnvironmentChange> found = [];
        var number = 0;
        foreach (var raw in SmallFile.ReadText(path, MaxFileBytes).Split('\n'))
        {
            number++;
            var line = raw.TrimEnd('\r').TrimStart(' ', '\t');
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || !IsName(line[..equals]))
            {
                throw new ImageStoreException(
                    ErrorKind.InvalidArgument, $"Line {number} of {Printable.Of(path)} is no variable with a value.", "Write NAME=VALUE.");
            }

            found.Add(new EnvironmentChange(line[..equals], line[(equals + 1)..]));
        }

        return found;
    }

    internal static bool IsName(string name) => name.Length > 0 && !name.Any(c => char.IsWhiteSpace(c) || char.IsControl(c));
}

/// <summary>A variable that a container gets, or is not to have.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value; null takes the image's away.</param>
public sealed record EnvironmentChange(string Name, string? Value);
