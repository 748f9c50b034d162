namespace ImageStore.Runtime.Ttrpc;

/// <summary>Reads frames from a connection.</summary>
internal sealed class FrameReader(Stream connection)
{
    private const int SkipBytes = 4096;

    private readonly byte[] _header = new byte[FrameHeader.Size];

    /// <summary>The next frame, or null where the other end has closed the connection between two of them.</summary>
    /// <remarks>The bytes of a message over the limit are read and thrown away, so that what follows it is understood.</remarks>
    /// <exception cref="EndOfStreamException">The connection ends within a frame.</exception>
    public async ValueTask<Frame?> ReadAsync(CancellationToken cancellation)
    {
        var read = await connection.ReadAtLeastAsync(_header, FrameHeader.Size, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
        if (read == 0)
        {
            return null;
        }

        if (read < FrameHeader.Size)
        {
            throw new EndOfStreamException("The connection ends within a frame's header.");
        }

        var header = FrameHeader.Read(_header);
        if (header.Length > TtrpcLimits.MessageBytes)
        {
            await SkipAsync(header.Length, cancellation).ConfigureAwait(false);
            return new Frame(header, []);
        }

        var message = header.Length == 0 ? [] : new byte[header.Length];
        await connection.ReadExactlyAsync(message, cancellation).ConfigureAwait(false);
        return new Frame(header, message);
    }

    private async ValueTask SkipAsync(uint length, CancellationToken cancellation)
    {
        var buffer = new byte[SkipBytes];
        for (var left = (long)length; left > 0;)
        {
            var piece = buffer.AsMemory(0, (int)Math.Min(left, buffer.Length));
            await connection.ReadExactlyAsync(piece, cancellation).ConfigureAwait(false);
            left -= piece.Length;
        }
    }
}
