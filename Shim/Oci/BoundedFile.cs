using ImageStore.Store.Errors;

namespace ImageStore.Shim.Oci;

/// <summary>Reads files no further than to a limit.</summary>
internal static class BoundedFile
{
    private const int PieceBytes = 16 << 10;

    /// <summary>All of a file; null where there is none.</summary>
    /// <exception cref="ImageStoreException">It is larger than the limit, or cannot be read.</exception>
    public static byte[]? TryRead(string path, int limit)
    {
        try
        {
            using var file = File.OpenHandle(path);
            var content = new MemoryStream();
            var piece = new byte[Math.Min(limit, PieceBytes)];
            while (RandomAccess.Read(file, piece, content.Length) is var read && read > 0)
            {
                if (content.Length + read > limit)
                {
                    throw new ImageStoreException(ErrorKind.LimitExceeded, $"{path} is larger than {limit} bytes.");
                }

                content.Write(piece, 0, read);
            }

            return content.ToArray();
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Reading {path}");
        }
    }

    /// <summary>The first bytes of a file that may have more.</summary>
    public static byte[] ReadHead(string path, int limit)
    {
        using var file = File.OpenHandle(path);
        var content = new MemoryStream();
        var piece = new byte[PieceBytes];
        while (content.Length < limit && RandomAccess.Read(file, piece, content.Length) is var read && read > 0)
        {
            content.Write(piece, 0, (int)Math.Min(read, limit - content.Length));
        }

        return content.ToArray();
    }

    /// <summary>The last bytes of a file; empty where there is no file.</summary>
    public static byte[] ReadTail(string path, int limit)
    {
        try
        {
            using var file = File.OpenHandle(path);
            var length = RandomAccess.GetLength(file);
            var from = Math.Max(0, length - limit);
            var content = new byte[length - from];
            return content[..RandomAccess.Read(file, content, from)];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
