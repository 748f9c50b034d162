using System.Text;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Store;

/// <summary>Reads a file that a user wrote: configuration, a list, a key.</summary>
public static class SmallFile
{
    /// <summary>The whole file as UTF-8 text.</summary>
    /// <param name="path">The file; links are followed.</param>
    /// <param name="maxBytes">The most that it may hold.</param>
    /// <exception cref="ImageStoreException">It is missing (<see cref="ErrorKind.NotFound"/>), no regular file, over the
    /// limit, not readable, or not UTF-8 (<see cref="ErrorKind.FailedPrecondition"/>).</exception>
    public static string ReadText(string path, int maxBytes)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            var full = Path.GetFullPath(path);
            var target = File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full;

            // Looked at before it is opened: a fifo would keep us waiting for ever.
            if (FileMetadata.TryGet(target) is not { } metadata)
            {
                throw Missing(path);
            }

            if (!metadata.IsRegular)
            {
                throw Unusable(path, metadata.IsDirectory ? "it is a folder" : "it is no regular file", null);
            }

            using var stream = new FileStream(target, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[maxBytes + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length <= maxBytes
                ? new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes, 0, length).TrimStart('\uFEFF')
                : throw Unusable(path, $"it is longer than {maxBytes} bytes", null);
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Missing(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, Printable.Of(failure.Message), failure);
        }
        catch (DecoderFallbackException failure)
        {
            throw Unusable(path, "it is not UTF-8 text", failure);
        }
    }

    private static ImageStoreException Missing(string path) =>
        new(ErrorKind.NotFound, $"{Printable.Of(path)} is not there.", "Check the path.");

    private static ImageStoreException Unusable(string path, string why, Exception? cause) => new(
        ErrorKind.FailedPrecondition, $"{Printable.Of(path)} cannot be read: {why}.", "Check the path, its owner and its mode.", cause);
}
