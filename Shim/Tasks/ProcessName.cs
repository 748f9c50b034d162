using System.Buffers;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Tasks;

/// <summary>The ids of containers and execs, which become names of files.</summary>
internal static class ProcessName
{
    private const int LongestId = 255;

    private static readonly SearchValues<char> s_allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+:@");

    /// <summary>Lets an id pass that is one name, and no option of a command.</summary>
    /// <exception cref="ImageStoreException">It is neither.</exception>
    public static void Check(string id)
    {
        if (id.Length is 0 or > LongestId || id.AsSpan().ContainsAnyExcept(s_allowed) || id[0] is '-' or '.')
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, $"'{Printable.Of(id)}' is no id of a container or a process.");
        }
    }
}
