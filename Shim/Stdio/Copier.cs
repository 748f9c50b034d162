using ImageStore.Shim.Interop;
using ImageStore.Shim.Logging;
using ImageStore.Shim.Loop;

namespace ImageStore.Shim.Stdio;

/// <summary>Copies from one descriptor to another until there is no more.</summary>
/// <remarks>One buffer serves all copies, since none of them waits while it has something in it.</remarks>
internal sealed class Copier(EventLoop loop)
{
    private const int BufferBytes = 32 << 10;
    private const int PiecesATurn = 16;

    private readonly byte[] _buffer = new byte[BufferBytes];

    /// <summary>Copies what a process writes. What cannot be written is thrown away, so that the process goes on.</summary>
    /// <param name="from">Where it comes from, until its end.</param>
    /// <param name="to">Where it goes to.</param>
    /// <param name="ended">No more comes: what is there is copied still.</param>
    public Task CopyOutputAsync(Watch from, Watch to, CancellationToken ended) => CopyAsync(from, to, mayDrop: true, ended);

    /// <summary>Copies what a process reads, until nobody is left to write or to read.</summary>
    public Task CopyInputAsync(Watch from, Watch to) => CopyAsync(from, to, mayDrop: false, CancellationToken.None);

    private async Task CopyAsync(Watch from, Watch to, bool mayDrop, CancellationToken ended)
    {
        var isTold = false;
        for (var piece = 1; ; piece++)
        {
            if (piece % PiecesATurn == 0)
            {
                await loop.TurnAsync().ConfigureAwait(false);
            }

            var read = from.File.IsClosed ? 0 : Descriptors.Read(from.File, _buffer);
            if (read <= 0)
            {
                // A terminal that nobody has open any more ends with an error.
                if (read == 0 || Errno.Last != Errno.TryAgain || !await WaitAsync(from, ended).ConfigureAwait(false))
                {
                    return;
                }

                continue;
            }

            if (await TryWriteAsync(to, read).ConfigureAwait(false))
            {
                continue;
            }

            if (!mayDrop || to.File.IsClosed)
            {
                return;
            }

            if (!isTold)
            {
                isTold = true;
                ShimLog.Warning("Output cannot be written where it goes to, and is lost.");
            }
        }
    }

    /// <summary>Waits for more; false where no more comes.</summary>
    private static async Task<bool> WaitAsync(Watch from, CancellationToken ended)
    {
        if (ended.IsCancellationRequested)
        {
            return false;
        }

        try
        {
            await from.ReadableAsync(ended).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return !from.File.IsClosed;
        }
    }

    private async Task<bool> TryWriteAsync(Watch to, int count)
    {
        var written = to.File.IsClosed ? 0 : Descriptors.Write(to.File, _buffer.AsSpan(0, count));
        if (written == count)
        {
            return true;
        }

        if (written < 0 && Errno.Last != Errno.TryAgain)
        {
            return false;
        }

        // Others have the buffer while this waits.
        var rest = _buffer.AsSpan(Math.Max(written, 0), count - Math.Max(written, 0)).ToArray().AsMemory();
        while (rest.Length > 0)
        {
            try
            {
                await to.WritableAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return false;
            }

            written = Descriptors.Write(to.File, rest.Span);
            if (written < 0 && Errno.Last != Errno.TryAgain)
            {
                return false;
            }

            rest = rest[Math.Max(written, 0)..];
        }

        return true;
    }
}
