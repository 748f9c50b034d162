namespace ImageStore.Snapshotters.Mounts;

/// <summary>Tells whether something is mounted on a directory.</summary>
public static class MountPoint
{
    /// <summary>Whether <paramref name="path"/> is the root of a mount; a path that is not there is not.</summary>
    public static bool Is(string path) =>
        FileStatus.Read(path, out var status) == 0 && (status.Attributes & FileStatus.AttributeMountRoot) != 0;
}
