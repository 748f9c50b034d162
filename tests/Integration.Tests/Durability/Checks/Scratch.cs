using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>A folder for roots that come and go by the thousand: in memory where that does, so that no disk wears out over it.</summary>
internal sealed class Scratch : IDisposable
{
    private const string Memory = "/dev/shm";
    private const string Prefix = "imagestore-durability-";

    private readonly DirectoryInfo _folder = Make();
    private int _next;

    public string Path => _folder.FullName;

    /// <summary>A path that nothing has.</summary>
    public string New(string name) => System.IO.Path.Combine(Path, $"{name}-{Interlocked.Increment(ref _next)}");

    /// <summary>A new folder into which everybody may write.</summary>
    public string NewFolder(string name)
    {
        var folder = Directory.CreateDirectory(New(name));
        folder.UnixFileMode |= UnixFileMode.StickyBit | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        return folder.FullName;
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static DirectoryInfo Make()
    {
        if (Directory.Exists(Memory))
        {
            try
            {
                var folder = Directory.CreateDirectory(System.IO.Path.Combine(Memory, Prefix + Guid.NewGuid().ToString("N")));
                try
                {
                    // Layers may carry attributes that not every kernel keeps in memory.
                    Kernel.SetXattr(folder.FullName, "user.test", [1]);
                    return folder;
                }
                catch (IOException)
                {
                    folder.Delete();
                }
            }
            catch (UnauthorizedAccessException)
            {
                // Then on a disk.
            }
        }

        var onDisk = Directory.CreateTempSubdirectory(Prefix);
        onDisk.UnixFileMode |= UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        return onDisk;
    }
}
