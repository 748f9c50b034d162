using System.Collections.Concurrent;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer;

/// <summary>Remembers which repositories have a blob, so that one upload serves a whole run of copies.</summary>
public sealed class BlobLocations
{
    private readonly ConcurrentDictionary<(Digest, string Place), IImageSource> _known = new();
    private readonly ConcurrentDictionary<(Digest, string Place), SemaphoreSlim> _turns = new();
    private readonly ConcurrentDictionary<(Digest, string Place), bool> _planned = new();
    private readonly ConcurrentDictionary<(Digest, string Place), bool> _written = new();

    internal void Add(Descriptor blob, string registry, IImageSource place) => _known[(blob.Digest, registry)] = place;

    internal IImageSource? Find(Descriptor blob, string registry) => _known.GetValueOrDefault((blob.Digest, registry));

    /// <summary>Counts a blob that a dry run would send; false where it counted before.</summary>
    internal bool Plan(Descriptor blob, string place) => _planned.TryAdd((blob.Digest, place), true);

    /// <summary>Whether this run wrote the manifest there already.</summary>
    internal bool IsWritten(Descriptor manifest, string place) => _written.ContainsKey((manifest.Digest, place));

    /// <summary>Notes a manifest that was written.</summary>
    internal void Written(Descriptor manifest, string place) => _written[(manifest.Digest, place)] = true;

    /// <summary>Waits until no other copy is at the same blob or image: what that one brings, this one need not send.</summary>
    /// <returns>To be disposed when the blob is there.</returns>
    internal async Task<IDisposable> EnterAsync(Descriptor blob, string place, CancellationToken cancellationToken)
    {
        var turn = _turns.GetOrAdd((blob.Digest, place), static _ => new SemaphoreSlim(1, 1));
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Turn(turn);
    }

    private sealed class Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}
