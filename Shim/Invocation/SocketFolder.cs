using ImageStore.Shim.Interop;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Invocation;

/// <summary>The folder of the sockets, in which one at a time finds out who listens: two would take each other's socket for a dead one's.</summary>
internal static class SocketFolder
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(5);

    /// <summary>Removes the socket of a shim that was killed, unless another listens there by now.</summary>
    public static void RemoveDead(string path)
    {
        using var mine = Lock(Path.GetDirectoryName(path)!);
        var result = UnixSockets.TryConnect(path, out var other);
        other?.Dispose();
        if (result == ConnectResult.Nobody)
        {
            File.Delete(path);
        }
    }

    /// <summary>Waits for the right to; dispose of what it gives to let others.</summary>
    /// <exception cref="ImageStoreException">Another does not let go of it.</exception>
    public static SafeFileHandle Lock(string folder)
    {
        var handle = Descriptors.Open(folder, Descriptors.ReadOnly);
        try
        {
            for (var begun = TimeProvider.System.GetTimestamp(); !Descriptors.TryLock(handle);)
            {
                if (TimeProvider.System.GetElapsedTime(begun) > s_patience)
                {
                    throw new ImageStoreException(ErrorKind.Unavailable, $"Somebody has {folder} locked for more than {s_patience}.");
                }

                Thread.Sleep(s_pause);
            }

            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }
}
