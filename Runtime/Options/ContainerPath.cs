using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Options;

/// <summary>Paths within a container, which nothing here ever opens: the runtime does, inside the root filesystem.</summary>
internal static class ContainerPath
{
    /// <summary>An absolute path without <c>.</c>, <c>..</c> and doubled slashes; above the root there is nothing.</summary>
    public static string Clean(string path)
    {
        List<string> parts = [];
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == "..")
            {
                parts.RemoveRange(Math.Max(0, parts.Count - 1), Math.Min(1, parts.Count));
            }
            else if (part != ".")
            {
                parts.Add(part);
            }
        }

        return "/" + string.Join('/', parts);
    }

    /// <summary>The same, where it is said by an option; an absolute path that does not climb.</summary>
    /// <exception cref="ImageStoreException">It is none (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static string Absolute(string option, string path)
    {
        if (!path.StartsWith('/') || path.Split('/').Contains("..") || path.Any(char.IsControl))
        {
            throw OptionFault.Of(option, path, "is no absolute path within the container", "Write a path from / on, without '..', such as /data.");
        }

        return Clean(path);
    }
}
