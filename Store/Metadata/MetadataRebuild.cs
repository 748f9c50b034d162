using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Store.Metadata;

/// <summary>Makes a new database out of what a damaged one still has, and of its newest backup for the rest.</summary>
/// <remarks>For the process that holds the root, with the database closed. The damaged files are moved aside, never deleted.</remarks>
internal static class MetadataRebuild
{
    private const string NewName = ".new";
    private const int RowsPerCommit = 4096;

    /// <summary>Rebuilds the database in <paramref name="directory"/>.</summary>
    /// <param name="directory">Where it lies.</param>
    /// <param name="aside">Where the damaged files go; its parent has to be there.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="ImageStoreException">The disk refused: the damaged database is still in its place.</exception>
    public static RebuildReport Run(string directory, string aside, DateTimeOffset now)
    {
        var (tables, lost) = Salvage(directory);
        var backup = lost.Count > 0 ? NewestReadable(directory, now) : null;
        if (backup is { } found)
        {
            foreach (var (table, rows) in found.Tables)
            {
                tables.TryAdd(table, rows);
            }
        }

        var fresh = directory + NewName;
        try
        {
            Write(fresh, tables);
            KeepBackups(directory, fresh, now);
            new RebuildMark(now, lost).Save(fresh);
            if (Directory.Exists(directory))
            {
                // There is a database under the name at every moment: without one the root would begin anew.
                KernelFile.Exchange(fresh, directory);
                File.Delete(Path.Combine(fresh, DiskReserve.Name));
                Directory.Move(fresh, aside);
            }
            else
            {
                Directory.Move(fresh, directory);
            }

            KernelFile.SyncDirectory(Path.GetDirectoryName(aside)!);
            KernelFile.SyncDirectory(Path.GetDirectoryName(directory)!);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Rebuilding the metadata in {directory}");
        }

        return new RebuildReport(
            tables.ToDictionary(table => table.Key, table => table.Value.Count, StringComparer.Ordinal),
            [.. lost.Where(table => !tables.ContainsKey(table))],
            backup is { } used ? used.Path : null,
            backup?.CreatedAt,
            aside);
    }

    /// <summary>Every table that can be read whole. A table with a hole in it counts as lost: half of one would be worse than an older one.</summary>
    private static (Dictionary<string, List<RowChange>> Tables, List<string> Lost) Salvage(string directory)
    {
        Dictionary<string, List<RowChange>> tables = new(StringComparer.Ordinal);
        List<string> lost = [];
        if (!File.Exists(Path.Combine(directory, MetadataDisk.Data)))
        {
            return (tables, [.. StoreTables.Names]);
        }

        foreach (var table in TryRead(directory, rows => rows.Tables()) ?? StoreTables.Names)
        {
            if (TryRead(directory, rows => rows.Load(table)) is { } found)
            {
                tables[table] = [.. found];
            }
            else
            {
                lost.Add(table);
            }
        }

        return (tables, lost);
    }

    private static T? TryRead<T>(string directory, Func<LiteRows, T> read)
        where T : class
    {
        try
        {
            using var disk = MetadataFiles.OpenForReading(directory, TimeSpan.Zero);
            using var rows = new LiteRows(new LiteFile(disk, canWrite: false, LiteFile.CheckpointBytes), LiteFile.CheckpointBytes);
            return read(rows);
        }
        catch (ImageStoreException damaged) when (damaged.Kind is ErrorKind.CorruptData or ErrorKind.Internal or ErrorKind.Unsupported || IoErrors.IsOfTheDisk(damaged))
        {
            return null;
        }
    }

    private static (string Path, DateTimeOffset CreatedAt, Dictionary<string, List<RowChange>> Tables)? NewestReadable(string directory, DateTimeOffset now)
    {
        foreach (var (path, _) in new BackupFolder(directory).List(now))
        {
            try
            {
                var (createdAt, tables) = MetadataBackup.Read(path);
                return (path, createdAt, tables);
            }
            catch (ImageStoreException damaged) when (damaged.Kind is ErrorKind.CorruptData or ErrorKind.Unsupported || IoErrors.IsOfTheDisk(damaged))
            {
                // The one before it, then.
            }
        }

        return null;
    }

    private static void Write(string directory, Dictionary<string, List<RowChange>> tables)
    {
        // Of an attempt that was cut short.
        FolderRemoval.Delete(directory);

        using var disk = MetadataFiles.OpenForWriting(directory);
        using var rows = new LiteRows(new LiteFile(disk, canWrite: true, LiteFile.CheckpointBytes), LiteFile.CheckpointBytes);
        foreach (var (table, all) in tables)
        {
            foreach (var part in all.Chunk(RowsPerCommit))
            {
                MetadataChanges changes = [];
                foreach (var row in part)
                {
                    changes.Set(table, row.Key, row.Value!.Value.ToArray());
                }

                rows.Apply(changes);
                while (rows.IsTidyDue)
                {
                    rows.Tidy();
                }
            }
        }
    }

    private static void KeepBackups(string directory, string fresh, DateTimeOffset now)
    {
        var target = Directory.CreateDirectory(Path.Combine(fresh, BackupFolder.Name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var (path, _) in new BackupFolder(directory).List(now))
        {
            File.Copy(path, Path.Combine(target.FullName, Path.GetFileName(path)));
        }
    }
}

/// <summary>What became of a damaged database.</summary>
/// <param name="Rows">The rows of each table in the new one.</param>
/// <param name="LostTables">Tables of which neither the damaged database nor a backup had anything.</param>
/// <param name="Backup">The backup that was needed, or null.</param>
/// <param name="BackupAt">When it was made.</param>
/// <param name="Aside">Where the damaged files are.</param>
public sealed record RebuildReport(
    IReadOnlyDictionary<string, int> Rows, IReadOnlyList<string> LostTables, string? Backup, DateTimeOffset? BackupAt, string Aside);
