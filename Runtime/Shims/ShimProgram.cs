using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Shims;

/// <summary>The program that a runtime's name stands for.</summary>
internal static class ShimProgram
{
    /// <summary>The runtime that clients name who do not care.</summary>
    public const string UsualRuntime = "io.containerd.runc.v2";

    private const string Prefix = "containerd-shim-";
    private const string OwnName = "containerd-shim-imagestore-v1";
    private const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Finds it: <c>io.containerd.runc.v2</c> is <c>containerd-shim-runc-v2</c> in PATH or beside this program; a path is itself.</summary>
    /// <remarks>Where runc's own shim is not installed, ours takes its place: it has the same options and the same containers.</remarks>
    /// <exception cref="ImageStoreException">The name is none (<see cref="ErrorKind.InvalidArgument"/>), or there is no such program
    /// (<see cref="ErrorKind.NotFound"/>).</exception>
    public static string Find(string runtime) => Find(runtime, Folders(Environment.GetEnvironmentVariable("PATH"), AppContext.BaseDirectory));

    /// <param name="runtime">The name, or an absolute path.</param>
    /// <param name="folders">Where programs are, in their order.</param>
    internal static string Find(string runtime, IReadOnlyList<string> folders)
    {
        if (runtime.StartsWith('/'))
        {
            return IsProgram(runtime) ? runtime : throw Missing(runtime, runtime);
        }

        var name = NameOf(runtime);
        return Search(name, folders)
            ?? (runtime == UsualRuntime ? Search(OwnName, folders) : null)
            ?? throw Missing(runtime, name);
    }

    private static List<string> Folders(string? path, string own) =>
        [.. (path ?? string.Empty).Split(':').Where(folder => folder.StartsWith('/')), own];

    // The last two parts of the name are the program's.
    private static string NameOf(string runtime)
    {
        var parts = runtime.Split('.');
        return parts.Length >= 2 && parts.All(Identifier.IsOne) ? $"{Prefix}{parts[^2]}-{parts[^1]}" : throw new ImageStoreException(
            ErrorKind.InvalidArgument, $"'{Printable.Of(runtime)}' is no runtime.", $"Name one such as {UsualRuntime}, or the path of its shim.");
    }

    private static string? Search(string name, IReadOnlyList<string> folders) =>
        folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(IsProgram);

    private static bool IsProgram(string path) => File.Exists(path) && (File.GetUnixFileMode(path) & Executable) != 0;

    private static ImageStoreException Missing(string runtime, string program) => new(
        ErrorKind.NotFound,
        $"The runtime {Printable.Of(runtime)} is not installed: there is no program {Printable.Of(program)}.",
        "Install its shim into PATH, or name another runtime.");
}
