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
        ArgumentNullException.ThrowIfNull(target);
        CheckName(name);
        return _db.CommitAsync(tx => PutIn(tx, name, target, labels), cancellationToken);
    }

    /// <summary>Makes a name that must not be there yet.</summary>
    /// <param name="name">The name.</param>
    /// <param name="target">What it names.</param>
    /// <param name="labels">Its labels.</param>
    /// <param name="at">When it is to have been made; null for now.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ImageStoreException">As for <see cref="PutAsync"/>, or the name is taken (<see cref="ErrorKind.AlreadyExists"/>).</exception>
    public Task<ImageRecord> CreateAsync(
        string name, Descriptor target, IReadOnlyDictionary<string, string> labels, DateTimeOffset? at, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(target);
        CheckName(name);
        return _db.CommitAsync(
            tx =>
            {
                if (tx.Get(StoreTables.Images, _prefix + name) is not null)
                {
                    throw new ImageStoreException(ErrorKind.AlreadyExists, $"The image {Printable.Of(name)} exists.");
                }

                var now = _time.GetUtcNow();
                NamespaceCatalogue.Ensure(tx, _namespace, now);
                return Put(tx, name, new ImageRow(target, Labels.Merge(Labels.None, labels), at ?? now, at ?? now, now), isNew: true);
            },
            cancellationToken);
    }

    /// <summary>Changes what a name stands for and its labels.</summary>
    /// <param name="name">The name.</param>
    /// <param name="change">Gives what it becomes; runs within the transaction. Name and times are not read.</param>
    /// <param name="at">When it is to have been changed; null for now.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ImageStoreException">There is no such image (<see cref="ErrorKind.NotFound"/>), or a label is malformed
    /// (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public Task<ImageRecord> UpdateAsync(
        string name, Func<ImageRecord, ImageRecord> change, DateTimeOffset? at, CancellationToken cancellationToken) =>
        _db.CommitAsync(
            tx =>
            {
                var before = tx.Get(StoreTables.Images, _prefix + name) ?? throw Missing(name);
                var after = change(Record(name, before));
                var row = before with
                {
                    Target = after.Target, Labels = Labels.Merge(Labels.None, after.Labels), UpdatedAt = at ?? _time.GetUtcNow(),
                };
                return Put(tx, name, row, isNew: false);
            },
            cancellationToken);

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
    public Task RemoveAsync(string name, CancellationToken cancellationToken) => RemoveAsync(name, null, cancellationToken);

    /// <summary>Does so only while the name stands for <paramref name="target"/>, where that is not null.</summary>
    /// <exception cref="ImageStoreException">There is no such image, or it stands for something else (<see cref="ErrorKind.NotFound"/>).</exception>
    public Task RemoveAsync(string name, Digest? target, CancellationToken cancellationToken) => RemoveUnlessAsync(
        name,
        image =>
        {
            if (target is { } wanted)
            {
                RefuseOther(image, wanted);
            }
        },
        cancellationToken);

    /// <summary>Does so unless <paramref name="check"/> throws, which is given the image within the transaction.</summary>
    /// <exception cref="ImageStoreException">There is no such image (<see cref="ErrorKind.NotFound"/>), or it is refused.</exception>
    public Task RemoveUnlessAsync(string name, Action<ImageRecord> check, CancellationToken cancellationToken) =>
        _db.CommitAsync(
            tx =>
            {
                check(Record(name, tx.Get(StoreTables.Images, _prefix + name) ?? throw Missing(name)));
                tx.Delete(StoreTables.Images, _prefix + name);
            },
            cancellationToken);

    /// <summary>Makes <paramref name="target"/> stand for what <paramref name="source"/> does, with its labels.</summary>
    /// <param name="source">A name that is there.</param>
    /// <param name="target">The other name.</param>
    /// <param name="change">Gives how those labels change for it; an empty value takes one away.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ImageStoreException">There is no such image (<see cref="ErrorKind.NotFound"/>), or the name is malformed.</exception>
    public Task<ImageRecord> CopyAsync(
        string source, string target, Func<IReadOnlyDictionary<string, string>, IReadOnlyDictionary<string, string>> change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(change);
        CheckName(target);
        return _db.CommitAsync(
            tx =>
            {
                var from = tx.Get(StoreTables.Images, _prefix + source) ?? throw Missing(source);
                return PutIn(tx, target, from.Target, Labels.Merge(from.Labels, change(from.Labels)));
            },
            cancellationToken);
    }

    /// <exception cref="ImageStoreException">The image stands for something else (<see cref="ErrorKind.NotFound"/>).</exception>
    public static void RefuseOther(ImageRecord image, Digest wanted)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.Target.Digest != wanted)
        {
            throw new ImageStoreException(ErrorKind.NotFound, $"The image {Printable.Of(image.Name)} stands for {image.Target.Digest}, not {wanted}.");
        }
    }

    /// <summary>The error for an image that is not there.</summary>
    public static ImageStoreException Missing(string name) =>
        new(ErrorKind.NotFound, $"There is no image {Printable.Of(name)} in this namespace.", "'imagestore images ls' shows what is there.");

    private ImageRecord PutIn(MetadataTransaction tx, string name, Descriptor target, IReadOnlyDictionary<string, string> labels)
    {
        var now = _time.GetUtcNow();
        var before = tx.Get(StoreTables.Images, _prefix + name);
        var row = new ImageRow(
            target, Labels.Merge(before?.Labels ?? Labels.None, labels), before?.CreatedAt ?? now, now,
            before?.Target.Digest == target.Digest ? before.UsedAt : now);
        return Put(tx, name, row, isNew: before is null);
    }

    private ImageRecord Put(MetadataTransaction tx, string name, ImageRow row, bool isNew)
    {
        tx.Put(StoreTables.Images, _prefix + name, row);
        if (isNew)
        {
            QuotaKeeper.CheckImages(tx, _namespace, name);
        }

        return Record(name, row);
    }

    private static void CheckName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length == 0 || name.Any(char.IsControl))
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"'{Printable.Of(name)}' cannot name an image.",
                "A name has at least one character, and no control characters.");
        }
    }

    private static ImageRecord Record(string name, ImageRow row) =>
        new(name, row.Target, row.Labels, row.CreatedAt, row.UpdatedAt, row.UsedAt ?? row.UpdatedAt);
}
