namespace ImageStore.Distribution.Archives;

/// <summary>The files of an archive or folder, by name and never by path: a name that leads out of it names nothing.</summary>
internal interface IImageFiles : IDisposable
{
    /// <summary>How many bytes the file has; null when there is none of that name.</summary>
    long? Length(string name);

    /// <summary>Opens the file from <paramref name="offset"/> on.</summary>
    Stream Open(string name, long offset);
}
