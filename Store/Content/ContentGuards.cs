using System.Collections.Concurrent;
using ImageStore.Store.Oci;

namespace ImageStore.Store.Content;

/// <summary>What all namespaces of the process share: one writer an ingest, and one change at a time of a blob's file.</summary>
/// <remarks>The root lock keeps other processes out.</remarks>
internal sealed class ContentGuards
{
    private const int Stripes = 64;

    private readonly ConcurrentDictionary<string, byte> _writers = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim[] _blobs = [.. Enumerable.Range(0, Stripes).Select(_ => new SemaphoreSlim(1, 1))];

    public bool TryEnter(string ingest) => _writers.TryAdd(ingest, 0);

    public bool IsEntered(string ingest) => _writers.ContainsKey(ingest);

    public void Leave(string ingest) => _writers.TryRemove(ingest, out _);

    /// <summary>Holds the blob's file between its rename or removal and the row that tells of it.</summary>
    public async Task<Hold> HoldAsync(Digest digest, CancellationToken cancellationToken)
    {
        var stripe = _blobs[(uint)digest.GetHashCode() % Stripes];
        await stripe.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Hold(stripe);
    }

    /// <inheritdoc cref="HoldAsync"/>
    public Hold Wait(Digest digest)
    {
        var stripe = _blobs[(uint)digest.GetHashCode() % Stripes];
        stripe.Wait();
        return new Hold(stripe);
    }

    internal sealed class Hold(SemaphoreSlim stripe) : IDisposable
    {
        public void Dispose() => stripe.Release();
    }
}
