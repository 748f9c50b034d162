using ImageStore.Runtime.Ttrpc;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Logging;
using ImageStore.Shim.Loop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Invocation;

/// <summary>Takes connections and has them served, whatever happens to one of them: with the shim its containers would be lost.</summary>
/// <param name="loop">Where everything runs.</param>
/// <param name="listener">Where they come in.</param>
/// <param name="server">Serves them.</param>
/// <param name="used">Is told whenever something came.</param>
internal sealed class Connections(EventLoop loop, Watch listener, TtrpcServer server, Action used)
{
    private const int Most = 64;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    /// <summary>How many are open.</summary>
    public int Open { get; private set; }

    /// <summary>Takes all that come, until the listener is disposed of.</summary>
    public async Task AcceptAsync()
    {
        while (!listener.File.IsClosed)
        {
            try
            {
                TakeAll();
                await listener.ReadableAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception failure)
            {
                // There may be no descriptor free, or no memory: what waits, waits a little longer.
                ShimLog.Error("A connection cannot be taken", failure);
                await Task.Delay(s_pause, loop.Time, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private void TakeAll()
    {
        while (UnixSockets.TryAccept(listener.File) is { } accepted)
        {
            if (TryTake(accepted) is { } connection)
            {
                Open++;
                _ = ServeAsync(connection);
            }
            else
            {
                accepted.Dispose();
            }
        }
    }

    private Watch? TryTake(SafeFileHandle accepted)
    {
        try
        {
            return Open < Most && UnixSockets.PeerOf(accepted) == ProcessCalls.UserId() ? loop.Add(accepted) : null;
        }
        catch
        {
            accepted.Dispose();
            throw;
        }
    }

    private async Task ServeAsync(Watch connection)
    {
        using var stream = new LoopStream(connection, used);
        try
        {
            await server.ServeAsync(stream, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            ShimLog.Debug($"A connection broke: {gone.Message}");
        }
        finally
        {
            Open--;
        }
    }
}
