using System.Globalization;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Invocation;

/// <summary>The cgroup that a shim itself is put into, where the options name one.</summary>
internal static class ShimCgroup
{
    private const string Mount = "/sys/fs/cgroup";

    /// <summary>Puts it there.</summary>
    /// <param name="path">Of a cgroup that exists: with version 1, of every controller that has it.</param>
    /// <param name="shim">The shim.</param>
    /// <exception cref="ImageStoreException">There is none, or it takes nobody.</exception>
    public static void Join(string path, int shim)
    {
        var relative = path.TrimStart('/');
        List<string> folders = File.Exists(Path.Combine(Mount, "cgroup.controllers"))
            ? [Path.Combine(Mount, relative)]
            : [.. Directory.EnumerateDirectories(Mount).Select(controller => Path.Combine(controller, relative))];
        var found = folders.Where(folder => File.Exists(Path.Combine(folder, "cgroup.procs"))).ToList();
        if (found.Count == 0)
        {
            throw new ImageStoreException(ErrorKind.NotFound, $"There is no cgroup {Printable.Of(path)} for the shim.");
        }

        try
        {
            found.ForEach(folder => File.WriteAllText(Path.Combine(folder, "cgroup.procs"), shim.ToString(CultureInfo.InvariantCulture)));
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(refused, $"Putting the shim into the cgroup {Printable.Of(path)}");
        }
    }
}
