using ImageStore.Shim.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Stdio;

/// <summary>Opens what output is copied to.</summary>
internal static class OutputTarget
{
    private const int NewFileMode = 0x1a4; // 0644

    /// <summary>Opens it; the caller disposes of it.</summary>
    /// <remarks>
    /// A fifo is opened for reading too: then nobody need have it open yet, and a reader that goes away is no end. For the next reader it
    /// ends when the shim closes it.
    /// </remarks>
    /// <exception cref="Store.Errors.ImageStoreException">It cannot be opened.</exception>
    public static SafeFileHandle Open(LogUri uri)
    {
        if (uri.Scheme == LogUri.File)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(uri.Path)!);
            return Descriptors.Open(uri.Path, Descriptors.WriteOnly | Descriptors.Append | Descriptors.Create, NewFileMode);
        }

        return FileKind.IsFifo(uri.Path)
            ? Descriptors.Open(uri.Path, Descriptors.ReadWrite | Descriptors.NonBlocking)
            : Descriptors.Open(uri.Path, Descriptors.WriteOnly | Descriptors.Append);
    }
}
