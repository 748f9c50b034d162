using System.Globalization;
using System.Text;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store;

/// <summary>Keeps a root to one writing process; the kernel lets go of it when that process ends, however it ends.</summary>
internal sealed class RootLock : IDisposable
{
    private const int MaxHolderBytes = 256;
    private const int TriesBeforeTelling = 4;
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(50);

    private readonly SafeFileHandle _file;

    private RootLock(SafeFileHandle file) => _file = file;

    /// <summary>Takes the lock, and waits for who has it when somebody is told of that.</summary>
    /// <param name="path">The lock's file, made when missing.</param>
    /// <param name="holder">Who takes it, as others are told; null for the program's name.</param>
    /// <param name="onWait">Is told once who has it, such as <c>imagestore (process 4711)</c>; null not to wait.</param>
    /// <param name="time">The clock that paces the waiting.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ImageStoreException">Another has it, and it is not waited for
    /// (<see cref="ErrorKind.FailedPrecondition"/>), or the lock cannot be made.</exception>
    public static async Task<RootLock> TakeAsync(
        string path, string? holder, Action<string>? onWait, TimeProvider time, CancellationToken cancellationToken)
    {
        var file = KernelFile.OpenLockFile(path);
        try
        {
            for (var (told, tries) = (string.Empty, 0); !KernelFile.TryLock(file); tries++)
            {
                // A child that is being forked has our open files for a moment, and with them a lock that was let go of.
                if (tries < TriesBeforeTelling)
                {
                    await Task.Delay(s_poll, time, cancellationToken).ConfigureAwait(false);
                    continue;
                }

                if (onWait is null)
                {
                    throw new ImageStoreException(
                        ErrorKind.FailedPrecondition,
                        $"The root {Path.GetDirectoryName(path)} is in use by {Holder(file)}.",
                        "Wait for it to end, or choose another directory with --root.");
                }

                // Another may have been quicker when the one before let go of it.
                if (Holder(file) is var holding && holding != told)
                {
                    onWait(holding);
                    told = holding;
                }

                await Task.Delay(s_poll, time, cancellationToken).ConfigureAwait(false);
            }

            WriteHolder(file, holder ?? Path.GetFileName(Environment.ProcessPath));
            return new RootLock(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose() => _file.Dispose();

    private static void WriteHolder(SafeFileHandle file, string? who)
    {
        var me = string.Create(
            CultureInfo.InvariantCulture, $"{who} (process {Environment.ProcessId})");
        try
        {
            RandomAccess.SetLength(file, 0);
            RandomAccess.Write(file, Encoding.UTF8.GetBytes(me), 0);
        }
        catch (IOException)
        {
            // A full disk must not keep anyone from the root, least of all who comes to free space; the lock is held.
        }
    }

    private static string Holder(SafeFileHandle file)
    {
        var buffer = new byte[MaxHolderBytes];
        var count = RandomAccess.Read(file, buffer, 0);
        return count == 0 ? "another process" : Printable.Of(Encoding.UTF8.GetString(buffer, 0, count));
    }
}
