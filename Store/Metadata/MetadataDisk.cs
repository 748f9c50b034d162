namespace ImageStore.Store.Metadata;

/// <summary>Where a database's files lie; tests put one here that fails, or that forgets as a disk does without power.</summary>
internal abstract class MetadataDisk : IDisposable
{
    public const string Data = "meta.db";
    public const string Log = "meta.log";

    /// <summary>Where a new database is made before it gets its name.</summary>
    public const string NewData = Data + ".new";

    /// <summary>When the files of a directory's database were last written; the start of time where there are none.</summary>
    public static DateTime ChangedAt(string directory)
    {
        var (data, log) = (Written(Data), Written(Log));
        return data > log ? data : log;

        DateTime Written(string name) => File.GetLastWriteTimeUtc(Path.Combine(directory, name));
    }

    /// <summary>The directory, for messages.</summary>
    public abstract string Directory { get; }

    public abstract bool Exists(string name);

    /// <summary>Opens a file that is there.</summary>
    public abstract MetadataFile Open(string name, bool canWrite);

    /// <summary>Makes an empty file, in place of any that is there.</summary>
    public abstract MetadataFile Create(string name);

    public abstract void Rename(string from, string to);

    /// <summary>Makes the names durable, and the directory's own.</summary>
    public abstract void SyncNames();

    /// <summary>Runs <paramref name="change"/> while nobody reads; false when readers stay beyond <paramref name="limit"/>.</summary>
    public abstract bool TryWithoutReaders(TimeSpan limit, Action change);

    /// <summary>Keeps some room of the disk for removals, unless that is kept or there is none.</summary>
    public abstract void KeepReserve();

    /// <summary>Frees that room; false when none was kept.</summary>
    public abstract bool GiveUpReserve();

    public abstract void Dispose();

    /// <summary>A file's path, for messages.</summary>
    public string PathOf(string name) => Path.Combine(Directory, name);
}
