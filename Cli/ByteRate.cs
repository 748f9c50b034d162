using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Cli;

/// <summary>A rate or size as users of curl write it: bytes, or with k, M, G (of 1024).</summary>
internal static class ByteRate
{
    /// <exception cref="ImageStoreException">It is none (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static long Parse(string text) => ByteText.Parse(text)
        ?? throw new ImageStoreException(
            ErrorKind.InvalidArgument, $"'{Printable.Of(text)}' is no number of bytes.", "Write such as 500k, 10M or 1.5G.");
}
