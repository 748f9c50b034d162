using System.Text;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>Paths within a tree: bytes in Latin-1, relative, empty for the root.</summary>
internal static class TreePath
{
    public static string Join(string directory, ReadOnlySpan<byte> name) =>
        directory.Length == 0 ? Encoding.Latin1.GetString(name[..^1]) : $"{directory}/{Encoding.Latin1.GetString(name[..^1])}";

    /// <exception cref="Store.Errors.ImageStoreException">No applier would take the path.</exception>
    public static void Check(string path, int depth, LayerLimits limits)
    {
        if (path.Length > limits.MaxPathBytes || depth > limits.MaxDepth)
        {
            throw DiffFault.Limit(path, "the length or depth of a path");
        }
    }
}
