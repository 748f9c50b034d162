using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Overlay;

/// <summary>What this machine's overlayfs needs and knows.</summary>
internal sealed record OverlayFeatures(bool IndexOff, bool UserXattr)
{
    /// <summary>Options that the user wants besides.</summary>
    public IReadOnlyList<string> Chosen { get; init; } = [];

    /// <summary>False where the disk had no room for a try, so that this is what most machines have.</summary>
    public bool IsTried { get; init; } = true;
}

/// <summary>Tries overlayfs where the snapshots will lie, as only a try tells.</summary>
internal static class OverlayProbe
{
    private const string InitialUserNamespaceSize = "4294967295";
    private const byte TypeUnknown = 0;

    /// <summary>Where a probe mounts, in its own directory.</summary>
    public const string MergedName = "merged";

    /// <summary>The features, or why the file system cannot be used.</summary>
    /// <remarks>On a full disk nothing can be tried, and yet what is there has to be listed and removed: overlayfs counts as usable there.</remarks>
    public static async Task<(OverlayFeatures? Features, string? Reason)> RunAsync(
        SnapshotDirectories directories, CancellationToken cancellationToken)
    {
        if (directories.Root.AsSpan().ContainsAny(',', ':', '\\'))
        {
            return (null, "the root directory's path has a comma, a colon or a backslash, which overlayfs cannot take");
        }

        var place = Path.Combine(directories.Root, SnapshotDirectories.RemovingPrefix + "probe-" + Guid.NewGuid());
        var userXattr = !File.ReadAllText("/proc/self/uid_map").Contains(InitialUserNamespaceSize, StringComparison.Ordinal);
        try
        {
            Prepare(place, directories.Root);
            if (!ReportsTypes(Path.Combine(place, "lower")))
            {
                return (null, "the file system does not report file types in directories (d_type)");
            }

            string? reason = null;
            foreach (var indexOff in new[] { true, false })
            {
                var features = new OverlayFeatures(indexOff, userXattr);
                reason = await TryAsync(place, features, cancellationToken).ConfigureAwait(false);
                if (reason is null)
                {
                    return (features, null);
                }
            }

            return (null, reason);
        }
        catch (ImageStoreException full) when (full.Kind == ErrorKind.NoSpace)
        {
            return (new OverlayFeatures(IndexOff: true, userXattr) { IsTried = false }, null);
        }
        finally
        {
            RemovedTrees.DeleteTree(place, RemovalBudget.Unlimited);
        }
    }

    /// <summary>The features with what the user chose, which is tried as well.</summary>
    /// <exception cref="ImageStoreException">This kernel does not take it (<see cref="ErrorKind.Unsupported"/>).</exception>
    public static async Task<OverlayFeatures> ChooseAsync(
        SnapshotDirectories directories, OverlayFeatures features, OverlayOptions options, CancellationToken cancellationToken)
    {
        var chosen = features with { Chosen = options.MountOptions };
        string[] tried = [.. options.MountOptions, .. options.Volatile ? [OverlayMounts.Volatile] : Array.Empty<string>()];
        if (tried.Length == 0 || !features.IsTried)
        {
            return chosen;
        }

        var place = Path.Combine(directories.Root, SnapshotDirectories.RemovingPrefix + "probe-" + Guid.NewGuid());
        try
        {
            Prepare(place, directories.Root);
            return await TryAsync(place, features with { Chosen = tried }, cancellationToken).ConfigureAwait(false) is not { } reason ? chosen
                : throw new ImageStoreException(
                    ErrorKind.Unsupported,
                    $"This kernel's overlayfs does not take {string.Join(',', tried)}, as the configuration has it: {reason}.",
                    "Look at [snapshotters.overlayfs] in config.toml.");
        }
        finally
        {
            RemovedTrees.DeleteTree(place, RemovalBudget.Unlimited);
        }
    }

    private static void Prepare(string place, string root)
    {
        try
        {
            foreach (var name in new[] { "lower", "upper", "work", MergedName })
            {
                Directory.CreateDirectory(Path.Combine(place, name));
            }

            File.WriteAllText(Path.Combine(place, "lower", "file"), string.Empty);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Trying overlayfs in {root}");
        }
    }

    /// <summary>Whether a failure is the disk's or the process's of today, and says nothing of overlayfs: the other snapshotter must not be taken for it.</summary>
    private static bool IsPassing(int errno) => errno is Errno.ENOSPC or Errno.EDQUOT or Errno.EIO or Errno.EMFILE or Errno.ENFILE;

    private static bool ReportsTypes(string directory)
    {
        using var handle = DirectoryHandle.Open(directory);
        return DirectoryEntries.Read(handle).TrueForAll(entry => entry.Type != TypeUnknown);
    }

    private static async Task<string?> TryAsync(
        string place, OverlayFeatures features, CancellationToken cancellationToken)
    {
        var merged = Path.Combine(place, MergedName);
        var mount = OverlayMounts.Active(
            features, [Path.Combine(place, "lower")], Path.Combine(place, "upper"), Path.Combine(place, "work"));
        try
        {
            Mounter.MountAll([mount], merged);
        }
        catch (ImageStoreException e) when (e.Kind is not (ErrorKind.NoSpace or ErrorKind.Unavailable))
        {
            return e.Message.TrimEnd('.');
        }

        try
        {
            // Deleting makes a whiteout, which needs devices or attributes on the upper file system.
            File.Delete(Path.Combine(merged, "file"));
            return File.Exists(Path.Combine(merged, "file")) ? "a deleted file stays visible" : null;
        }
        catch (IOException e) when (IsPassing(e.HResult))
        {
            throw IoErrors.From(e, $"Trying overlayfs in {Path.GetDirectoryName(place)}");
        }
        catch (IOException e)
        {
            return Printable.Of(e.Message).TrimEnd('.');
        }
        finally
        {
            await Mounter.UnmountAsync(merged, detach: true, cancellationToken).ConfigureAwait(false);
        }
    }
}
