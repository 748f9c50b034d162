using System.Buffers;
using System.Collections.Concurrent;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Store.Content;
using ImageStore.Store.Leases;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Pull;

/// <summary>Brings the blobs of one pull into the store, each once, whoever asks and however often.</summary>
internal sealed class BlobFetcher(
    IContentStore content,
    RepositoryClient repository,
    ImageReference reference,
    Lease lease,
    int maxConcurrent,
    TransferProgress total,
    CancellationToken cancellationToken) : IDisposable
{
    private const int BufferBytes = 256 * 1024;

    private readonly SemaphoreSlim _slots = new(maxConcurrent, maxConcurrent);
    private readonly ConcurrentDictionary<Digest, Task<FetchedBlob>> _blobs = new();
    private long _downloaded;

    /// <summary>Bytes that came over the network.</summary>
    public long Downloaded => Interlocked.Read(ref _downloaded);

    /// <summary>Starts to bring the blob, unless that has begun; the task ends as soon as its bytes can be followed.</summary>
    public Task<FetchedBlob> Start(Descriptor descriptor, BlobProgress progress) =>
        _blobs.GetOrAdd(descriptor.Digest, _ => StartAsync(descriptor, progress));

    public void Dispose() => _slots.Dispose();

    private async Task<FetchedBlob> StartAsync(Descriptor descriptor, BlobProgress progress)
    {
        var labels = Source(descriptor.Digest);
        await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        ContentWriter? writer = null;
        try
        {
            progress.State = BlobState.Resuming;
            writer = await content.OpenUnlessThereAsync(
                Ref(descriptor.Digest), descriptor, await ProveAsync(descriptor).ConfigureAwait(false), labels, lease, cancellationToken)
                .ConfigureAwait(false);
            if (writer is null)
            {
                _slots.Release();
                return Exists(descriptor, progress);
            }

            if (writer.Offset > descriptor.Size)
            {
                writer.Restart();
            }

            // What an earlier process left is known to be right only at the end, so nobody reads it before.
            var resumed = writer.Offset > 0;
            progress.Done = writer.Offset;
            return new FetchedBlob(resumed ? null : writer, Task.Run(() => DownloadAsync(descriptor, writer, labels, progress), CancellationToken.None));
        }
        catch
        {
            _slots.Release();
            if (writer is not null)
            {
                await writer.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }
    }

    // What another namespace brought from this registry need not come again when the registry says that we may have it too.
    private async Task<BlobProof> ProveAsync(Descriptor descriptor) =>
        content.CouldProve(descriptor.Digest, repository.SureEndpoints)
            ? BlobProof.FromRegistry(await repository.WouldServeAsync(descriptor, cancellationToken).ConfigureAwait(false))
            : BlobProof.None;

    /// <summary>What the ingest of a blob is called.</summary>
    public static string Ref(Digest digest) => $"layer-{digest}";

    private static FetchedBlob Exists(Descriptor descriptor, BlobProgress progress)
    {
        (progress.Done, progress.State) = (descriptor.Size, BlobState.Exists);
        return new FetchedBlob(null, Task.CompletedTask);
    }

    private async Task DownloadAsync(
        Descriptor descriptor, ContentWriter writer, Dictionary<string, string> labels, BlobProgress progress)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            await using var held = writer.ConfigureAwait(false);
            progress.State = BlobState.Downloading;
            var resumed = writer.Offset > 0;
            if (writer.Offset < descriptor.Size)
            {
                await CopyAsync(descriptor, writer, buffer, progress).ConfigureAwait(false);
            }

            if (resumed && !writer.Matches(descriptor))
            {
                writer.Restart();
                await CopyAsync(descriptor, writer, buffer, progress).ConfigureAwait(false);
            }

            await writer.CommitAsync(descriptor, labels, lease, cancellationToken).ConfigureAwait(false);
            progress.State = progress.Unpacked > 0 ? BlobState.Unpacking : BlobState.Verified;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            _slots.Release();
        }
    }

    private async Task CopyAsync(Descriptor descriptor, ContentWriter writer, byte[] buffer, BlobProgress progress)
    {
        var isWhole = writer.Offset == 0;
        Stream source = descriptor.Data is { } inline && inline.LongLength == descriptor.Size
            ? new MemoryStream(inline[(int)writer.Offset..])
            : await repository.OpenBlobAsync(descriptor, writer.Offset, cancellationToken).ConfigureAwait(false);
        await using var opened = source.ConfigureAwait(false);
        int count;
        while ((count = await source.ReadAsync(buffer.AsMemory(0, BufferBytes), cancellationToken).ConfigureAwait(false)) > 0)
        {
            writer.Write(buffer.AsSpan(0, count));
            progress.Done = writer.Offset;
            Interlocked.Add(ref _downloaded, count);
            total.Receive(count);
        }

        writer.Origin = isWhole ? (source as RegistryBlobStream)?.Origin : null;
    }

    private Dictionary<string, string> Source(Digest digest)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        var key = Store.Labels.SourcePrefix + reference.Registry;
        var known = content.Find(digest)?.Labels.GetValueOrDefault(key);
        GcLabels.AddSource(labels, reference.Registry, reference.Repository, known);
        return labels;
    }
}

/// <summary>A blob that is there or on its way.</summary>
/// <param name="Writer">Where its bytes can be followed, or null when that is not before they are verified.</param>
/// <param name="Committed">Ends when the blob is durable; fails when it will not be.</param>
internal sealed record FetchedBlob(ContentWriter? Writer, Task Committed)
{
    /// <summary>Reads the blob from its start, while it arrives or out of the store.</summary>
    public async Task<Stream> OpenAsync(IContentStore content, Digest digest, CancellationToken cancellationToken)
    {
        if (Writer is not null && !Committed.IsCompleted)
        {
            try
            {
                return Writer.Follow(cancellationToken);
            }
            catch (IOException)
            {
                // All bytes came before we did, and the file is on its way to its name.
            }
        }

        await Committed.ConfigureAwait(false);
        return content.OpenRead(digest);
    }
}
