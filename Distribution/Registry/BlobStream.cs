using System.Buffers;
using System.Net;
using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Registry;

/// <summary>A blob's bytes, which go on by a new request where a connection breaks or stalls.</summary>
/// <param name="repository">Where from.</param>
/// <param name="blob">Which.</param>
/// <param name="offset">The first byte.</param>
/// <param name="end">The byte before which it ends; the blob's size for all of it.</param>
internal sealed class BlobStream(RepositoryAccess repository, Descriptor blob, long offset, long end) : RegistryBlobStream
{
    // Progress of this much between two failures shows that the download will end: the budget starts anew.
    private const long ProgressThatRenewsBudget = 1024 * 1024;
    private const int SkipBufferBytes = 64 * 1024;

    private readonly RegistryOptions _options = repository.Options;
    private readonly BlobOrigin _origin = new();
    private CancellationTokenSource _idle = new(Timeout.InfiniteTimeSpan, repository.Options.Time);
    private Reply? _reply;
    private Stream? _body;
    private HostCaps _caps;
    private long _position = offset;
    private long _end = end;
    private long _lastFailureAt = offset;
    private int _failures;
    private bool _rangeRefused;
    private bool _ended;
    private long _windowBytes;
    private TimeSpan _windowTime;

    private string Subject => repository.Subject(blob.Digest.ToString());

    /// <summary>Is it a part of a blob of which other parts come at the same time?</summary>
    public bool IsPart { get; init; }

    /// <summary>How long bytes were waited for; what their reader did in between is not in it.</summary>
    public TimeSpan Waited { get; private set; }

    public override string? Origin => _origin.Endpoint;

    /// <summary>Does the server say or show that it serves ranges?</summary>
    public bool ServesRanges => !_rangeRefused && _reply is { } reply
        && (reply.Status == HttpStatusCode.PartialContent || reply.Message.Headers.AcceptRanges.Contains("bytes"));

    public override long Position { get => _position; set => throw new NotSupportedException(); }

    /// <summary>Ends the stream before <paramref name="end"/>, which others fetch on from.</summary>
    public void EndAt(long end) => _end = end;

    public async Task OpenAsync(CancellationToken ct)
    {
        while (_body is null && _position < _end)
        {
            try
            {
                await ConnectAsync(ct).ConfigureAwait(false);
            }
            catch (Exception e) when (IsBroken(e, ct))
            {
                await BackOffAsync(e, ct).ConfigureAwait(false);
            }
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty || _ended)
        {
            return 0;
        }

        while (true)
        {
            try
            {
                if (_position == _end)
                {
                    await CheckEndAsync(cancellationToken).ConfigureAwait(false);
                    return 0;
                }

                if (_body is null)
                {
                    await ConnectAsync(cancellationToken).ConfigureAwait(false);
                }

                var most = (int)Math.Min(buffer.Length, _end - _position);
                var read = await ReadBodyAsync(buffer[..most], cancellationToken).ConfigureAwait(false);
                if (read > 0)
                {
                    _position += read;
                    return read;
                }

                throw new EndOfStreamException();
            }
            catch (Exception e) when (IsBroken(e, cancellationToken))
            {
                await BackOffAsync(e, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(Span<byte> buffer) => throw new NotSupportedException("Read asynchronously.");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _reply?.Dispose();
            _idle.Dispose();
        }

        base.Dispose(disposing);
    }

    private static bool IsBroken(Exception e, CancellationToken ct) =>
        !ct.IsCancellationRequested && e is IOException or HttpRequestException or TimeoutException;

    private async Task ConnectAsync(CancellationToken ct)
    {
        var from = _rangeRefused ? 0 : _position;
        _reply = await RequestAsync(from, ct).ConfigureAwait(false);
        if (from > 0 && !IsRangeAnswer(_reply, from))
        {
            // Some storages refuse ranges, or send another one: the whole blob, skipped up to here, still serves.
            if (_reply.Status is not HttpStatusCode.OK)
            {
                var reply = _reply;
                Drop();
                using (reply)
                {
                    if (!reply.IsSuccess && (int)reply.Status is not (400 or 416))
                    {
                        throw ErrorReply.ToException(reply, Subject);
                    }
                }

                _rangeRefused = true;
                from = 0;
                _reply = await RequestAsync(from, ct).ConfigureAwait(false);
            }
            else
            {
                from = 0;
            }
        }

        RepositoryAccess.ThrowUnlessSuccess(_reply, Subject);
        if (_reply.Message.Content.Headers.ContentLength > blob.Size - from)
        {
            throw TooLong();
        }

        _origin.Add(_reply.Host?.SureEndpoint);
        _caps = repository.Transport.Bandwidth.Of(_reply.Host);
        _body = await _reply.Message.Content.ReadAsStreamAsync(ct).ConfigureAwait(false);
        _windowBytes = 0;
        _windowTime = TimeSpan.Zero;
        await SkipAsync(_position - from, ct).ConfigureAwait(false);
    }

    private Task<Reply> RequestAsync(long from, CancellationToken ct) => repository.SendAsync(
        new RepositoryRequest(RegistryPurpose.Pull, HttpMethod.Get, $"blobs/{blob.Digest}")
        {
            RangeFrom = from, RangeTo = from > 0 && _end < blob.Size ? _end - 1 : null, OwnConnection = IsPart,
        },
        ct);

    private bool IsRangeAnswer(Reply reply, long from) =>
        reply.Status == HttpStatusCode.PartialContent
        && reply.Message.Content.Headers.ContentRange is { } range
        && range.From == from
        && (range.Length is null || range.Length == blob.Size);

    private async Task SkipAsync(long count, CancellationToken ct)
    {
        if (count == 0)
        {
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(SkipBufferBytes);
        try
        {
            while (count > 0)
            {
                var most = (int)Math.Min(buffer.Length, count);
                var read = await ReadBodyAsync(buffer.AsMemory(0, most), ct).ConfigureAwait(false);
                count -= read > 0 ? read : throw new EndOfStreamException();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<int> ReadBodyAsync(Memory<byte> buffer, CancellationToken ct)
    {
        var started = _options.Time.GetTimestamp();
        // One source for all reads: its timer is moved, not made anew.
        _idle.CancelAfter(_options.IdleTimeout);
        using var registration = ct.UnsafeRegister(static idle => ((CancellationTokenSource)idle!).Cancel(), _idle);
        int read;
        try
        {
            read = await _body!.ReadAsync(buffer, _idle.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e)
        {
            ct.ThrowIfCancellationRequested();
            throw new TimeoutException("No bytes came in time.", e);
        }

        _idle.CancelAfter(Timeout.InfiniteTimeSpan);
        JudgeRate(read, _options.Time.GetElapsedTime(started));
        if (_caps.Any)
        {
            await _caps.SpendAsync(read, ct).ConfigureAwait(false);
        }

        return read;
    }

    private void JudgeRate(int read, TimeSpan waited)
    {
        _windowBytes += read;
        _windowTime += waited;
        Waited += waited;
        if (_windowTime < _options.RateWindow)
        {
            return;
        }

        if (read > 0 && _windowBytes < _options.MinimumBytesPerSecond * _windowTime.TotalSeconds)
        {
            throw new TimeoutException("The download is too slow.");
        }

        _windowBytes = 0;
        _windowTime = TimeSpan.Zero;
    }

    // A body longer than promised must not pass because its start is right.
    private async Task CheckEndAsync(CancellationToken ct)
    {
        if (_body is not null && _end == blob.Size)
        {
            var probe = ArrayPool<byte>.Shared.Rent(1);
            try
            {
                if (await ReadBodyAsync(probe.AsMemory(0, 1), ct).ConfigureAwait(false) > 0)
                {
                    throw TooLong();
                }
            }
            catch (Exception e) when (IsBroken(e, ct))
            {
                // All promised bytes are here; how the connection ends no longer matters.
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(probe);
            }
        }

        Drop();
        _ended = true;
    }

    private async Task BackOffAsync(Exception cause, CancellationToken ct)
    {
        if (_reply is not null)
        {
            repository.Distrust(_reply);
        }

        Drop();
        if (_position - _lastFailureAt >= ProgressThatRenewsBudget)
        {
            _failures = 0;
        }

        _lastFailureAt = _position;
        if (_failures++ == _options.MaxRetries || !repository.MayRepeat())
        {
            throw cause is EndOfStreamException
                ? new ImageStoreException(
                    ErrorKind.CorruptData,
                    $"{Subject} ends after {_position} of {blob.Size} bytes.",
                    "Ask the image's publisher to push it again.",
                    cause)
                : new ImageStoreException(
                    ErrorKind.Unavailable,
                    $"{Subject}: the download broke {_failures} times, last after {_position} of {blob.Size} bytes.",
                    "Look at the network, then pull again; what is here is kept.",
                    cause);
        }

        var delay = _options.RetryDelay * (1 << Math.Min(_failures - 1, 16));
        await Task.Delay(delay < _options.MaxRetryDelay ? delay : _options.MaxRetryDelay, _options.Time, ct)
            .ConfigureAwait(false);
    }

    private void Drop()
    {
        _reply?.Dispose();
        _reply = null;
        _body = null;
        if (_idle.IsCancellationRequested)
        {
            _idle.Dispose();
            _idle = new CancellationTokenSource(Timeout.InfiniteTimeSpan, _options.Time);
        }
    }

    private ImageStoreException TooLong() => new(
        ErrorKind.CorruptData,
        $"{Subject} has more than its {blob.Size} bytes.",
        "Ask the image's publisher to push it again.");
}
