using ImageStore.Shim.Interop;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Invocation;

/// <summary>Standard input and output as bytes, without what a terminal would need.</summary>
internal static class StandardStreams
{
    private const int PieceBytes = 16 << 10;

    /// <summary>All of standard input.</summary>
    /// <exception cref="ImageStoreException">It is more than <paramref name="limit"/> bytes.</exception>
    public static byte[] ReadInput(int limit)
    {
        using var input = new SafeFileHandle(0, ownsHandle: false);
        var content = new MemoryStream();
        var piece = new byte[PieceBytes];
        while (Descriptors.Read(input, piece) is var read && read > 0)
        {
            if (content.Length + read > limit)
            {
                throw new ImageStoreException(ErrorKind.LimitExceeded, $"Standard input has more than {limit} bytes.");
            }

            content.Write(piece, 0, read);
        }

        return content.ToArray();
    }

    /// <summary>Writes an answer.</summary>
    public static void WriteOutput(ReadOnlySpan<byte> content) => Write(1, content);

    /// <summary>Writes an error.</summary>
    public static void WriteError(ReadOnlySpan<byte> content) => Write(2, content);

    private static void Write(int number, ReadOnlySpan<byte> content)
    {
        using var output = new SafeFileHandle(number, ownsHandle: false);
        while (content.Length > 0 && Descriptors.Write(output, content) is var written && written > 0)
        {
            content = content[written..];
        }
    }
}
