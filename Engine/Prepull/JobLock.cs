using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Engine.Prepull;

/// <summary>Keeps a set to one process; the kernel lets go of it when that process ends, however it ends.</summary>
internal sealed class JobLock : IDisposable
{
    // Whoever lists jobs has the lock for a moment, and so has a child that is being forked.
    private const int Tries = 5;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    private readonly SafeFileHandle _file;

    private JobLock(SafeFileHandle file) => _file = file;

    /// <summary>Takes the lock, whose file is made when missing; null when another process has it.</summary>
    public static async Task<JobLock?> TryTakeAsync(string path, TimeProvider time, CancellationToken cancellationToken)
    {
        var file = KernelFile.OpenLockFile(path);
        try
        {
            for (var tries = 1; !KernelFile.TryLock(file); tries++)
            {
                if (tries == Tries)
                {
                    file.Dispose();
                    return null;
                }

                await Task.Delay(s_pause, time, cancellationToken).ConfigureAwait(false);
            }

            return new JobLock(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Has a process the lock?</summary>
    public static bool IsHeld(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        using var file = KernelFile.OpenLockFile(path);
        return !KernelFile.TryLock(file, shared: true);
    }

    public void Dispose() => _file.Dispose();
}
