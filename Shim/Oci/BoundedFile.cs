using ImageStore.Store.Errors;

namespace ImageStore.Shim.Oci;

/// <summary>Reads files no further than to a limit.</summary>
internal static class BoundedFile
{
    /// <summary>All of a file; null where there is none.</summary>
    /// <exception cref="ImageStoreException">It is larger than the limit, or cannot be read.</exception>
    public static byte[]? TryRead(string path, int limit)
    {
        try
        {
            using var file = File.OpenHandle(path);
            var content = new MemoryStream();
            var piece = new byte[Math.Min(limit, 16 << 10)];
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

    /// <summary>What a file has from an offset on, at most the last <paramref name="limit"/> bytes of it; empty where there is no file.</summary>
    public static byte[] ReadTail(string path, long offset, int limit)
    {
        try
        {
            using var file = File.OpenHandle(path);
            var length = RandomAccess.GetLength(file);
            var from = Math.Max(offset, length - limit);
            var content = new byte[Math.Max(0, length - from)];
            return content[..RandomAccess.Read(file, content, from)];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>How long a file is; 0 where there is none.</summary>
    public static long Length(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? file.Length : 0;
    }
}
