namespace ImageStore.Store.Metadata;

/// <summary>All rows of a database as bytes, whatever their tables are, read beside its writer.</summary>
internal static class MetadataDump
{
    private static readonly TimeSpan s_lockLimit = TimeSpan.FromSeconds(10);

    /// <summary>Has <paramref name="use"/> go through all tables, one in memory at a time, as they are on disk at one moment.</summary>
    /// <exception cref="Errors.ImageStoreException">The database is damaged, or the disk refused.</exception>
    public static void Read(string directory, Action<IEnumerable<KeyValuePair<string, IReadOnlyList<RowChange>>>> use)
    {
        using var disk = MetadataFiles.OpenForReading(directory, s_lockLimit);
        using var rows = new LiteRows(new LiteFile(disk, canWrite: false, LiteFile.CheckpointBytes), LiteFile.CheckpointBytes);
        use(rows.Tables().Select(table => KeyValuePair.Create(table, rows.Load(table))));
    }
}
