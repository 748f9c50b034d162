using System.Buffers;
using System.Security.Cryptography;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using ImageStore.Store.Leases;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Oci;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Content;

/// <summary>The one place where bytes become a blob.</summary>
/// <remarks>
/// The caller owns it and disposes it. Disposed without <see cref="CommitAsync"/> it leaves an ingest that can be
/// resumed; <see cref="Abort"/> deletes it. Not for use by several threads at once, apart from <see cref="Follow"/>.
/// </remarks>
public sealed class ContentWriter : IAsyncDisposable
{
    private const int RehashBufferBytes = 1 << 20;
    private const long WritebackStep = 16L << 20;

    private readonly IngestDirectory _ingest;
    private readonly SafeFileHandle _file;
    private readonly IncrementalHash _hash;
    private readonly DigestAlgorithm _algorithm;
    private readonly QuotaReservation _reservation;
    private readonly IngestProgress _progress = new();
    private readonly Func<ContentWriter, Descriptor, CommitRequest, CancellationToken, Task<ContentInfo>> _publish;
    private readonly Action _release;
    private long _writebackFrom;
    private bool _closed;

    internal ContentWriter(
        IngestDirectory ingest,
        string reference,
        DigestAlgorithm algorithm,
        QuotaReservation reservation,
        Func<ContentWriter, Descriptor, CommitRequest, CancellationToken, Task<ContentInfo>> publish,
        Action release)
    {
        (_ingest, Ref, _algorithm, _reservation, _publish, _release) = (ingest, reference, algorithm, reservation, publish, release);
        _hash = Digest.CreateHash(algorithm);
        try
        {
            _file = ingest.OpenData();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            _hash.Dispose();
            throw IoErrors.From(failure, $"Opening the ingest of {Printable.Of(reference)}");
        }
    }

    /// <summary>The ingest's name.</summary>
    public string Ref { get; }

    /// <summary>The bytes that are there, all of them hashed.</summary>
    public long Offset { get; private set; }

    /// <summary>The digest of the bytes that are there: what the commit of a blob that is just being made will name.</summary>
    public Digest CurrentDigest => Digest.FromHash(_algorithm, _hash.GetCurrentHash());

    /// <summary>The registry endpoint that all bytes come from, where that is one and sure: it may later vouch for another namespace.</summary>
    public string? Origin { get; set; }

    internal string DataPath => _ingest.Data;

    /// <summary>Appends <paramref name="bytes"/>.</summary>
    /// <exception cref="ImageStoreException">The disk or the namespace's quota refused; the ingest keeps what it had.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        _reservation.GrowTo(Offset + bytes.Length);
        try
        {
            RandomAccess.Write(_file, bytes, Offset);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Writing the ingest of {Printable.Of(Ref)}");
        }

        _hash.AppendData(bytes);
        Offset += bytes.Length;
        _progress.Advance(Offset);
        if (Offset - _writebackFrom >= WritebackStep)
        {
            KernelFile.StartWriteback(_file, _writebackFrom, Offset - _writebackFrom);
            _writebackFrom = Offset;
        }
    }

    /// <summary>Throws away what has arrived, so that writing starts again at 0.</summary>
    public void Restart()
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        try
        {
            RandomAccess.SetLength(_file, 0);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Emptying the ingest of {Printable.Of(Ref)}");
        }

        _ = _hash.GetHashAndReset();
        (Offset, _writebackFrom) = (0, 0);
    }

    /// <summary>Reads the bytes from their start, those that are still to come as well; the caller disposes it.</summary>
    /// <remarks>It fails with <see cref="IOException"/> when the writer is disposed before its commit.</remarks>
    public Stream Follow(CancellationToken cancellationToken)
    {
        var own = File.OpenHandle(
            _ingest.Data, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        return new IngestFollower(own, _progress, cancellationToken);
    }

    /// <summary>Whether the bytes are those of <paramref name="expected"/>. What an earlier process left may be holes after a power cut.</summary>
    public bool Matches(Descriptor expected)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ObjectDisposedException.ThrowIf(_closed, this);
        return Offset == expected.Size && Digest.FromHash(_algorithm, _hash.GetCurrentHash()) == expected.Digest;
    }

    /// <summary>Tells followers that all bytes have arrived, before they are durable.</summary>
    public void Complete() => _progress.Complete();

    /// <summary>Verifies, syncs and publishes the blob; always closes the writer.</summary>
    /// <remarks>Data synced, size and digest verified, renamed, directory synced, then the row: a power cut leaves
    /// the state before or the state after. Bytes that do not match are deleted, so that a repeat starts anew.</remarks>
    /// <exception cref="ImageStoreException">Size or digest differ (<see cref="ErrorKind.CorruptData"/>).</exception>
    public async Task<ContentInfo> CommitAsync(
        Descriptor expected, IReadOnlyDictionary<string, string> labels, Lease? lease, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ObjectDisposedException.ThrowIf(_closed, this);
        try
        {
            if (Offset != expected.Size)
            {
                throw Mismatch($"The blob {expected.Digest} has {Offset} bytes where {expected.Size} were announced.");
            }

            var actual = Digest.FromHash(_algorithm, _hash.GetCurrentHash());
            if (actual != expected.Digest)
            {
                throw Mismatch($"The blob {expected.Digest} arrived with the digest {actual}.");
            }

            _progress.Complete();
            try
            {
                KernelFile.Sync(_file);
            }
            catch (IOException failure)
            {
                // What a failed sync left on disk is unknown, so it is never tried again on the same bytes.
                _ingest.Delete();
                throw IoErrors.From(failure, $"Syncing the blob {expected.Digest}");
            }

            // The transaction counts the blob itself; both at once would be too much for others.
            _reservation.Dispose();
            return await _publish(this, expected, new CommitRequest(labels, lease), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            _progress.Fail(failure);
            throw;
        }
        finally
        {
            Close();
        }

        ImageStoreException Mismatch(string message)
        {
            _ingest.Delete();
            return new ImageStoreException(
                ErrorKind.CorruptData,
                message,
                "Nothing of it was kept. Repeat the command; if it happens again, the registry or a proxy alters content.");
        }
    }

    /// <summary>Deletes the ingest and closes the writer.</summary>
    public void Abort()
    {
        if (!_closed)
        {
            _progress.Fail(new OperationCanceledException("The ingest was aborted."));
            try
            {
                // Before it is closed, which lets the next writer in.
                _ingest.Delete();
            }
            finally
            {
                Close();
            }
        }
    }

    /// <summary>Closes the writer; the ingest stays and can be resumed.</summary>
    public ValueTask DisposeAsync()
    {
        if (!_closed)
        {
            _progress.Fail(new OperationCanceledException("The ingest was left unfinished."));
            Close();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Hashes what an earlier process left, so that its bytes count as verified as those that follow.</summary>
    internal void Resume(CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(RehashBufferBytes);
        try
        {
            int count;
            while ((count = RandomAccess.Read(_file, buffer.AsSpan(0, RehashBufferBytes), Offset)) > 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                _hash.AppendData(buffer.AsSpan(0, count));
                Offset += count;
            }

            _writebackFrom = Offset;
            _progress.Advance(Offset);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Close()
    {
        _closed = true;
        _reservation.Dispose();
        _file.Dispose();
        _hash.Dispose();
        _release();
    }

    internal sealed record CommitRequest(IReadOnlyDictionary<string, string> Labels, Lease? Lease);
}
