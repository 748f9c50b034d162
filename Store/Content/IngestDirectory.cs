using System.Globalization;
using System.Text;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Content;

/// <summary>The files of one ingest: <c>ref</c>, <c>data</c>, <c>total</c> and <c>startedat</c>.</summary>
internal sealed class IngestDirectory(string path)
{
    /// <summary>The mode of bytes that are no blob yet.</summary>
    public const UnixFileMode WritableMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const int MaxRefBytes = 8 * 1024;
    private const int MaxNumberBytes = 64;

    public string Path { get; } = path;

    public string Data => System.IO.Path.Combine(Path, "data");

    /// <summary>Whose it is; null when its creation was cut short.</summary>
    public string? Namespace => ReadSmall(Ref, MaxRefBytes) is { } qualified && qualified.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash
        ? qualified[..slash]
        : null;

    /// <summary>When bytes arrived last, or it was begun.</summary>
    public DateTimeOffset UpdatedAt => new(File.Exists(Data) ? File.GetLastWriteTimeUtc(Data) : Directory.GetLastWriteTimeUtc(Path));

    private string Ref => System.IO.Path.Combine(Path, "ref");

    private string Total => System.IO.Path.Combine(Path, "total");

    private string StartedAt => System.IO.Path.Combine(Path, "startedat");

    /// <summary>Makes the ingest unless it is there; <paramref name="qualified"/> is <c>namespace/ref</c>.</summary>
    public void Create(string qualified, long total, DateTimeOffset now)
    {
        Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (!File.Exists(Ref))
        {
            // The reference is written last: an ingest without it is one whose creation was cut short.
            File.WriteAllText(StartedAt, now.ToString("O", CultureInfo.InvariantCulture));
            File.WriteAllText(Total, total.ToString(CultureInfo.InvariantCulture));
            File.WriteAllText(Ref, qualified);
        }
    }

    /// <summary>The state, or null when the directory is no whole ingest of <paramref name="namespace"/>.</summary>
    public IngestStatus? Read(string @namespace)
    {
        if (ReadSmall(Ref, MaxRefBytes) is not { } qualified
            || !qualified.StartsWith(@namespace + "/", StringComparison.Ordinal))
        {
            return null;
        }

        var data = new FileInfo(Data);
        _ = long.TryParse(ReadSmall(Total, MaxNumberBytes), NumberStyles.None, CultureInfo.InvariantCulture, out var total);
        _ = DateTimeOffset.TryParse(
            ReadSmall(StartedAt, MaxNumberBytes), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var started);
        return new IngestStatus(
            qualified[(@namespace.Length + 1)..],
            data.Exists ? data.Length : 0,
            total,
            started,
            data.Exists ? new DateTimeOffset(data.LastWriteTimeUtc) : started);
    }

    /// <summary>Opens the bytes, to go on with them.</summary>
    public SafeFileHandle OpenData()
    {
        try
        {
            return Open();
        }
        catch (UnauthorizedAccessException) when (File.Exists(Data))
        {
            // Whoever died after a blob had got its mode and before it had its name left an ingest that only root could write.
            File.SetUnixFileMode(Data, WritableMode);
            return Open();
        }

        SafeFileHandle Open() => File.OpenHandle(Data, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
    }

    public void Delete()
    {
        try
        {
            FolderRemoval.Delete(Path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Deleting the ingest {Path}");
        }
    }

    private static string? ReadSmall(string path, int limit)
    {
        try
        {
            using var file = File.OpenHandle(path);
            var buffer = new byte[limit];
            return Encoding.UTF8.GetString(buffer, 0, RandomAccess.Read(file, buffer, 0));
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
