using ImageStore.Runtime.Images;
using ImageStore.Runtime.Options;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Generation;

/// <summary>What the process of a container is: its words, its environment and where it begins.</summary>
internal static class ProcessWords
{
    /// <summary>Where programs are looked for, when nobody says it; containerd's and Docker's.</summary>
    public const string UsualPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private const string TerminalKind = "TERM=xterm";

    /// <summary>The image's entrypoint and command; the user's command takes the place of the second, an entrypoint of both.</summary>
    /// <exception cref="ImageStoreException">Neither says any.</exception>
    public static IReadOnlyList<string> Arguments(ImageProcess image, ContainerOptions options)
    {
        var command = options.Command.Count > 0 ? options.Command : options.Entrypoint is null ? image.Cmd ?? [] : [];
        IReadOnlyList<string> all = options.Entrypoint is { } program ? [program, .. command] : [.. image.Entrypoint ?? [], .. command];
        return all.Count > 0
            ? all
            : throw new ImageStoreException(
                ErrorKind.InvalidArgument, "The image does not say what it runs.", "Write the command after DIR, such as: imagestore bundle REF DIR -- /bin/sh");
    }

    /// <summary>The image's variables, each under its name once, then what the user says of them.</summary>
    public static IReadOnlyList<string> Environment(ImageProcess image, ContainerOptions options, List<string> notes)
    {
        OrderedDictionary<string, string> found = new(StringComparer.Ordinal);
        Put(UsualPath);
        if (options.Terminal)
        {
            Put(TerminalKind);
        }

        foreach (var variable in image.Env ?? [])
        {
            // One without a value is nobody's wish to take it from the host.
            if (variable.IndexOf('=', StringComparison.Ordinal) > 0)
            {
                Put(variable);
            }
            else
            {
                notes.Add($"the image's variable '{Printable.Of(variable)}' has no name and value, and is left out");
            }
        }

        foreach (var (name, value) in options.Environment)
        {
            if (value is null)
            {
                found.Remove(name);
            }
            else
            {
                found[name] = value;
            }
        }

        return [.. found.Select(pair => $"{pair.Key}={pair.Value}")];

        void Put(string variable)
        {
            var equals = variable.IndexOf('=', StringComparison.Ordinal);
            found[variable[..equals]] = variable[(equals + 1)..];
        }
    }

    /// <summary>The user's working directory, else the image's, else the root.</summary>
    /// <exception cref="ImageStoreException">The user's is not absolute, or one leads through a process's open files.</exception>
    public static string WorkingDirectory(ImageProcess image, ContainerOptions options)
    {
        var path = options.WorkingDirectory is { } own ? ContainerPath.Absolute("--workdir", own) : ContainerPath.Clean(image.WorkingDir ?? string.Empty);

        // Runtimes have leaked open directories of the host, and so have let out who began in one of them (CVE-2024-21626).
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts is ["dev", "fd", ..]
            || (parts is ["proc", var process, ..] && (process is "self" or "thread-self" || process.All(char.IsAsciiDigit)))
            ? throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"The working directory '{Printable.Of(path)}' leads through a process's open files.",
                "Name another one with --workdir, such as --workdir /.")
            : path;
    }
}
