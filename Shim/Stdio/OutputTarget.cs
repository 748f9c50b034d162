using ImageStore.Shim.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Stdio;

/// <summary>Opens what output is copied to.</summary>
internal static class OutputTarget
{
    private const int NewFileMode = 0x1a4; // 0644

    /// <summary>Opens it; the caller disposes of it.</summary>
    /// <remarks>
    /// It is opened for reading too, for what may be a fifo, whatever it was called: then nobody need have it open yet, and a reader that
    /// goes away is no end. For the next reader it ends when the shim closes it. Nothing is waited for: one thread serves all.
    /// </remarks>
    /// <exception cref="Store.Errors.ImageStoreException">It cannot be opened.</exception>
    public static SafeFileHandle Open(LogUri uri)
    {
        const int Flags = Descriptors.ReadWrite | Descriptors.Append | Descriptors.NonBlocking | Descriptors.NoTerminal;
        if (uri.Scheme != LogUri.File)
        {
            return Descriptors.Open(uri.Path, Flags);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(uri.Path)!);
        return Descriptors.Open(uri.Path, Flags | Descriptors.Create, NewFileMode);
    }
}
