using System.Globalization;
using ImageStore.Store.Errors;

namespace ImageStore.Store.Metadata;

/// <summary>The backups of a database, beside it: the newest few.</summary>
internal sealed class BackupFolder(string metadataDirectory)
{
    /// <summary>The folder's name.</summary>
    public const string Name = "backups";

    private const int Keep = 5;
    private const string Extension = ".jsonl.gz";
    private const string NameFormat = "yyyyMMdd'T'HHmmssfff'Z'";
    private const long SmallBytes = 8 << 20;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly TimeSpan s_smallAge = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_largeAge = TimeSpan.FromHours(24);

    private readonly string _folder = Path.Combine(metadataDirectory, Name);

    /// <summary>Their paths and times, the newest first; last those of a time that is still to come, when the clock was wrong.</summary>
    public IReadOnlyList<(string Path, DateTimeOffset CreatedAt)> List(DateTimeOffset now) => !Directory.Exists(_folder)
        ? []
        : [.. Directory.EnumerateFiles(_folder, "*" + Extension)
            .Select(path => (Path: path, CreatedAt: TimeOf(path)))
            .Where(one => one.CreatedAt is not null)
            .Select(one => (one.Path, one.CreatedAt!.Value))
            .OrderBy(one => one.Value > now).ThenByDescending(one => one.Value)];

    /// <summary>Whether the last one is old: an hour, or a day where writing one takes a moment.</summary>
    public bool IsDue(DateTimeOffset now)
    {
        var size = new FileInfo(Path.Combine(metadataDirectory, MetadataDisk.Data));
        return size.Exists && (List(now) is not [var (_, last), ..]
            || (now - last).Duration() > (size.Length <= SmallBytes ? s_smallAge : s_largeAge));
    }

    /// <summary>Writes one of what the database has on disk now, and removes the oldest beyond some. The writer goes on meanwhile.</summary>
    /// <returns>Its path.</returns>
    /// <exception cref="ImageStoreException">The database is damaged, or the disk refused.</exception>
    public string Write(DateTimeOffset now)
    {
        try
        {
            Directory.CreateDirectory(_folder, OwnerOnly);
            var path = Path.Combine(_folder, now.UtcDateTime.ToString(NameFormat, CultureInfo.InvariantCulture) + Extension);
            MetadataDump.Read(metadataDirectory, tables => MetadataBackup.Write(path, tables, now));
            foreach (var (old, _) in List(now).Skip(Keep))
            {
                File.Delete(old);
            }

            return path;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Backing up the metadata in {metadataDirectory}");
        }
    }

    private static DateTimeOffset? TimeOf(string path) => DateTimeOffset.TryParseExact(
        Path.GetFileName(path)[..^Extension.Length], NameFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : null;
}
