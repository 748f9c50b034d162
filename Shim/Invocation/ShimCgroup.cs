using System.Globalization;
using ImageStore.Shim.Cgroups;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Invocation;

/// <summary>The cgroup that a shim itself is put into, where the options name one.</summary>
internal static class ShimCgroup
{
    /// <summary>Puts it there.</summary>
    /// <param name="path">Of a cgroup that exists: with version 1, of every controller that has it.</param>
    /// <param name="shim">The shim.</param>
    /// <exception cref="ImageStoreException">There is none, or it takes nobody.</exception>
    public static void Join(string path, int shim)
    {
        var found = Cgroup.FoldersOf(path);
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
