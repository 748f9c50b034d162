using ImageStore.Runtime.Security.Seccomp;
using ImageStore.Runtime.Spec;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Options;

/// <summary>What <c>--security-opt</c> says.</summary>
public sealed record SecurityText
{
    private const string Option = "--security-opt";
    private const string Remedy = "Write seccomp=unconfined, seccomp=FILE or no-new-privileges=false.";

    /// <summary>Is the filter of system calls switched off?</summary>
    public bool IsUnconfined { get; init; }

    /// <summary>A filter instead of the usual one, or null.</summary>
    public SeccompSpec? Seccomp { get; init; }

    /// <summary>Can a program's setuid bit and file capabilities give it nothing?</summary>
    public bool NoNewPrivileges { get; init; } = true;

    /// <summary>Reads all of them.</summary>
    /// <exception cref="ImageStoreException">One is none (<see cref="ErrorKind.InvalidArgument"/>), is not done here
    /// (<see cref="ErrorKind.Unsupported"/>), or its file cannot be read.</exception>
    public static SecurityText Parse(IEnumerable<string> words)
    {
        ArgumentNullException.ThrowIfNull(words);
        var result = new SecurityText();
        foreach (var word in words)
        {
            // Docker once took a colon there.
            var cut = word.AsSpan().IndexOfAny('=', ':');
            var (key, value) = cut < 0 ? (word, string.Empty) : (word[..cut], word[(cut + 1)..]);
            result = (key, value) switch
            {
                ("seccomp", "unconfined") => result with { IsUnconfined = true, Seccomp = null },
                ("seccomp", { Length: > 0 }) => result with { IsUnconfined = false, Seccomp = ProfileFile.Read(value) },
                ("no-new-privileges", "" or "true") => result with { NoNewPrivileges = true },
                ("no-new-privileges", "false") => result with { NoNewPrivileges = false },
                ("apparmor" or "label" or "systempaths" or "writable-cgroups", _) =>
                    throw new ImageStoreException(ErrorKind.Unsupported, $"{Option} '{Printable.Of(word)}' is not done here.", Remedy),
                _ => throw OptionFault.Of(Option, word, "is not understood", Remedy),
            };
        }

        return result;
    }
}
