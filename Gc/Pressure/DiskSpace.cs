namespace ImageStore.Gc.Pressure;

/// <summary>How full a filesystem is.</summary>
/// <param name="Total">Its bytes.</param>
/// <param name="Available">What is left for us.</param>
public readonly record struct DiskSpace(long Total, long Available)
{
    /// <summary>The share that is not left for us, from 0 to 1.</summary>
    public double Used => Total <= 0 ? 0 : 1 - ((double)Available / Total);

    /// <summary>How many bytes have to go so that <paramref name="share"/> of it is used.</summary>
    public long BytesAbove(double share) => Math.Max(0, (long)Math.Ceiling((Used - share) * Total));

    /// <summary>The filesystem that <paramref name="path"/> is on, or would be made on.</summary>
    public static DiskSpace Of(string path)
    {
        while (!Directory.Exists(path) && Path.GetDirectoryName(path) is { } parent)
        {
            path = parent;
        }

        var drive = new DriveInfo(path);
        return new DiskSpace(drive.TotalSize, drive.AvailableFreeSpace);
    }
}
