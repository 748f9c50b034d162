using ImageStore.Shim.Interop;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Loop;

/// <summary>A connection as a stream whose reads and writes wait in the loop.</summary>
/// <param name="watch">The connection, which it owns.</param>
/// <param name="used">Is told whenever something came.</param>
internal sealed class LoopStream(Watch watch, Action? used = null) : Stream
{
    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var read = Descriptors.Read(watch.File, buffer.Span);
            if (read >= 0)
            {
                used?.Invoke();
                return read;
            }

            ThrowUnlessTryAgain("Reading from a connection");
            await watch.ReadableAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var written = Descriptors.Write(watch.File, buffer.Span);
            if (written >= 0)
            {
                buffer = buffer[written..];
                continue;
            }

            ThrowUnlessTryAgain("Writing to a connection");
            await watch.WritableAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        watch.Dispose();
        base.Dispose(disposing);
    }

    private static void ThrowUnlessTryAgain(string action)
    {
        if (Errno.Last != Errno.TryAgain)
        {
            throw new IOException($"{action} failed.", IoErrors.FromErrno(Errno.Last, action));
        }
    }
}
