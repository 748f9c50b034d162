using System.Globalization;
using ImageStore.Snapshotters.Mounts;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>The directories of one kind of snapshotter, <c>snapshots/&lt;kind&gt;/&lt;id&gt;/{fs,work}</c>.</summary>
/// <remarks>
/// A directory is made before its row and removed after it, so a directory without a row is a crash's leftover. Making
/// holds a shared lock on the folder and sweeping an exclusive one, so a sweep never takes what is just being made.
/// </remarks>
internal sealed class SnapshotDirectories
{
    public const string FolderName = "snapshots";
    public const string RemovingPrefix = "removing-";

    public const uint Private = 0x1C0;

    private const uint Traversable = 0x1ED;

    public SnapshotDirectories(string root, string snapshotter)
    {
        Root = SnapshotPlaces.FolderOf(Path.GetFullPath(root), snapshotter);
        Directory.CreateDirectory(root);
        DirectoryHandle.Make(Path.Combine(Path.GetFullPath(root), FolderName), Private);
        DirectoryHandle.Make(Root, Private);
    }

    public string Root { get; }

    /// <summary>A snapshot's folder, whether it is there or not.</summary>
    public static string Of(string root, string snapshotter, long id) =>
        Path.Combine(SnapshotPlaces.FolderOf(root, snapshotter), id.ToString(CultureInfo.InvariantCulture));

    public string Of(long id) => Path.Combine(Root, id.ToString(CultureInfo.InvariantCulture));

    public string Fs(long id) => Path.Combine(Of(id), SnapshotPlaces.FilesName);

    public string Work(long id) => Path.Combine(Of(id), "work");

    /// <summary>A committed snapshot's image, where the snapshotter keeps one.</summary>
    public string Image(long id) => Path.Combine(Of(id), SnapshotPlaces.ImageName);

    /// <summary>Where the image is mounted while somebody stands on it.</summary>
    public string Mounted(long id) => Path.Combine(Of(id), SnapshotPlaces.MountedName);

    /// <summary>Held from before a directory is made until its row is committed.</summary>
    public SafeFileHandle LockForMaking() => DirectoryLock.Shared(Root);

    public void Make(long id, bool withWork)
    {
        DirectoryHandle.Make(Of(id), Private);
        DirectoryHandle.Make(Fs(id), Traversable);
        InheritedAcl.Remove(Fs(id));
        if (withWork)
        {
            DirectoryHandle.Make(Work(id), Private);
        }
    }

    /// <summary>Removes what a snapshot has beside its image.</summary>
    public void KeepImageOnly(long id)
    {
        RemovedTrees.DeleteTree(Fs(id), RemovalBudget.Unlimited);
        RemovedTrees.DeleteTree(Work(id), RemovalBudget.Unlimited);
    }

    /// <summary>The numbers of all directories that are there.</summary>
    public IEnumerable<long> Ids() => Directory.GetDirectories(Root).Select(Path.GetFileName)
        .Select(name => long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
        .Where(id => id > 0);

    /// <summary>Takes the directory out of the way at once, so that an interrupted removal is resumed by a sweep.</summary>
    public string? MoveAside(long id)
    {
        var aside = Path.Combine(Root, RemovingPrefix + id.ToString(CultureInfo.InvariantCulture));
        try
        {
            Directory.Move(Of(id), aside);
            return aside;
        }
        catch (DirectoryNotFoundException)
        {
            return null;
        }
    }

    public void Remove(long id) => Remove(id, RemovalBudget.Unlimited);

    /// <summary>Takes the directory away, and deletes its files as far as the budget reaches.</summary>
    public void Remove(long id, RemovalBudget budget)
    {
        if (MoveAside(id) is { } aside)
        {
            RemovedTrees.DeleteTree(aside, budget);
        }
    }

    /// <summary>Deletes directories that no row names and resumes interrupted removals.</summary>
    public void Sweep(Func<HashSet<long>> idsInUse)
    {
        using (var exclusive = DirectoryLock.TryExclusive(Root))
        {
            if (exclusive is not null)
            {
                var present = Ids();
                var used = idsInUse();
                foreach (var id in present.Where(id => !used.Contains(id)).ToList())
                {
                    MoveAside(id);
                }
            }
        }

        RemovedTrees.DeleteAll(Root);
    }
}
