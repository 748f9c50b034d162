using System.Globalization;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Interop;

/// <summary>What a path names, as the kernel's own lists have it: without symbolic links.</summary>
internal static class RealPath
{
    /// <summary>The same without links; the path itself where nothing is there.</summary>
    public static string Of(string path)
    {
        try
        {
            using var place = Descriptors.Open(path, Descriptors.PathOnly);
            return new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{place.DangerousGetHandle()}")).LinkTarget ?? path;
        }
        catch (ImageStoreException)
        {
            return path;
        }
    }
}
