namespace ImageStore.Shim.Cgroups;

/// <summary>The cgroup of a container that its runtime did not get to know: one that was killed while it made it.</summary>
internal static class LeftCgroup
{
    private const int Attempts = 80;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(25);

    /// <summary>Removes it wherever nobody is in it.</summary>
    /// <param name="path">As the spec has it. Of a relative one, and of systemd's, the runtime chooses the place: those are left alone.</param>
    /// <param name="time">By which is waited for whoever is ending in it.</param>
    public static async Task RemoveAsync(string path, TimeProvider time)
    {
        if (!path.StartsWith('/') || path.Split('/').Contains("..") || path.Trim('/').Length == 0)
        {
            return;
        }

        var folders = Cgroup.FoldersOf(path);
        for (var attempt = 0; attempt < Attempts && !folders.TrueForAll(TryRemove); attempt++)
        {
            await Task.Delay(s_pause, time, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private static bool TryRemove(string folder)
    {
        try
        {
            Directory.Delete(folder);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (Exception busy) when (busy is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
