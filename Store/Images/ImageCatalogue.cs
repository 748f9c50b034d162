using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Oci;

namespace ImageStore.Store.Images;

/// <summary>The images of one namespace.</summary>
public sealed class ImageCatalogue
{
    private static readonly TimeSpan s_useGrain = TimeSpan.FromMinutes(10);

    private readonly MetadataDb _db;
    private readonly string _namespace;
    private readonly string _prefix;
    private readonly TimeProvider _time;

    internal ImageCatalogue(MetadataDb db, string @namespace, TimeProvider time) =>
        (_db, _namespace, _prefix, _time) = (db, @namespace, @namespace + "/", time);

    /// <summary>The image, or null.</summary>
    public ImageRecord? Find(string name) =>
        _db.Get(StoreTables.Images, _prefix + name) is { } row ? Record(name, row) : null;

    /// <summary>All images, ordered by name.</summary>
    public IReadOnlyList<ImageRecord> List() =>
        [.. _db.List(StoreTables.Images, _prefix).Select(pair => Record(pair.Key[_prefix.Length..], pair.Value))];

    /// <summary>Makes the name point at <paramref name="target"/>, whatever it pointed at before.</summary>
    /// <exception cref="ImageStoreException">The name or a label is malformed (<see cref="ErrorKind.InvalidArgument"/>), or the namespace may
    /// have no more images (<see cref="ErrorKind.NoSpace"/>).</exception>
    public Task<ImageRecord> PutAsync(
        string name, Descriptor target, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(target);
        if (name.Length == 0 || name.Any(char.IsControl))
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"'{Printable.Of(name)}' cannot name an image.",
                "A name has at least one character, and no control characters.");
        }

        return _db.CommitAsync(
            tx =>
            {
                var now = _time.GetUtcNow();
                var before = tx.Get(StoreTables.Images, _prefix + name);
                var row = new ImageRow(
                    target, Labels.Merge(before?.Labels ?? Labels.None, labels), before?.CreatedAt ?? now, now,
                    before?.Target.Digest == target.Digest ? before.UsedAt : now);
                tx.Put(StoreTables.Images, _prefix + name, row);
                if (before is null)
                {
                    QuotaKeeper.CheckImages(tx, _namespace, name);
                }

                return Record(name, row);
            },
            cancellationToken);
    }

    /// <summary>Notes that the image is used, which keeps it longer when the disk gets full. It is no error when it is gone.</summary>
    public async Task TouchAsync(string name, CancellationToken cancellationToken)
    {
        // A list of what was used last need not tell minutes, and each note is a commit.
        if (Find(name) is { } image && (_time.GetUtcNow() - image.UsedAt).Duration() > s_useGrain)
        {
            await _db.CommitAsync(
                tx =>
                {
                    if (tx.Get(StoreTables.Images, _prefix + name) is { } row)
                    {
                        tx.Put(StoreTables.Images, _prefix + name, row with { UsedAt = _time.GetUtcNow() });
                    }
                },
                cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Forgets the name; what it named stays until it is collected.</summary>
    /// <exception cref="ImageStoreException">There is no such image (<see cref="ErrorKind.NotFound"/>).</exception>
    public Task RemoveAsync(string name, CancellationToken cancellationToken) =>
        _db.CommitAsync(
            tx =>
            {
                if (!tx.Delete(StoreTables.Images, _prefix + name))
                {
                    throw Missing(name);
                }
            },
            cancellationToken);

    /// <summary>The error for an image that is not there.</summary>
    public static ImageStoreException Missing(string name) =>
        new(ErrorKind.NotFound, $"There is no image {Printable.Of(name)} in this namespace.", "'imagestore images ls' shows what is there.");

    private static ImageRecord Record(string name, ImageRow row) =>
        new(name, row.Target, row.Labels, row.CreatedAt, row.UpdatedAt, row.UsedAt ?? row.UpdatedAt);
}
