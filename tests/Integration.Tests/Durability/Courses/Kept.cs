using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>Keeps disks that failed, for who asks for it; else nothing is left behind.</summary>
internal static class Kept
{
    /// <summary>Writes the disk below the folder of the settings, if there is one.</summary>
    public static void Save(DiskState state, string name)
    {
        if (Settings.Keep is { } folder)
        {
            var target = Path.Combine(folder, name.Replace('/', '-'));
            Directory.CreateDirectory(target);
            if (!Directory.EnumerateFileSystemEntries(target).Any())
            {
                new DiskWriter(state).WriteTo(target);
            }
        }
    }
}
