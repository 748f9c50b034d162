using ImageStore.Store;
using ImageStore.Store.Metadata;
using ImageStore.Store.Oci;
using ImageStore.Store.Resources;

namespace ImageStore.Engine.Fsck;

/// <summary>What namespaces see against what is on the disk, in both directions; and what the reading of blobs found.</summary>
internal sealed class BlobCheck(StoreRoot root, IMetadataReader rows, BlobRefetch refetch)
{
    private readonly IResourceTable _content = root.Resources.Single(table => table.Kind == ResourceKind.Content);
    private readonly HashSet<string> _missing = new(StringComparer.Ordinal);

    /// <summary>Rows without files, files of another size, and files without rows.</summary>
    public IEnumerable<Fault> Run()
    {
        var files = root.BlobFiles().ToDictionary(file => file.Digest.ToString(), file => new FileInfo(file.Path), StringComparer.Ordinal);
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (var ns in _content.Namespaces(rows))
        {
            foreach (var blob in _content.All(rows, ns))
            {
                var digest = blob.Resource.Key;
                seen.Add(digest);
                if (!files.TryGetValue(digest, out var file) || !file.Exists)
                {
                    yield return Missing(ns, digest, blob.Size, "its file is not there");
                }
                else if (file.Length != blob.Size)
                {
                    yield return Missing(ns, digest, blob.Size, $"its file has {file.Length} bytes instead of {blob.Size}");
                }
            }
        }

        foreach (var (digest, file) in files.Where(file => !seen.Contains(file.Key) && file.Value.Exists))
        {
            yield return new Fault(new Finding(
                FindingKind.BlobUnclaimed, IsDamage: false, null, digest, $"no namespace sees it ({ByteText.Of(file.Length)})")
            {
                Remedy = "'imagestore gc' removes it.",
            });
        }
    }

    /// <summary>What the reading found: the file is put aside, and fetched again for those who see it.</summary>
    /// <remarks>Without those that <see cref="Run"/> told of: by then, the file may be the right one again.</remarks>
    public IEnumerable<Fault> Damaged(IEnumerable<(Digest Digest, string Actual)> damaged) => damaged.Where(one => !_missing.Contains(one.Digest.ToString())).Select(one => new Fault(
        new Finding(FindingKind.BlobDamaged, IsDamage: true, null, one.Digest.ToString(), $"it {one.Actual}")
        {
            Remedy = "'imagestore fsck --repair' puts it aside and fetches it again.",
        },
        async token =>
        {
            var path = root.PathOf(one.Digest);
            var size = Owners(one.Digest.ToString()).Select(owner => owner.Size).DefaultIfEmpty(-1).First();
            var place = root.Quarantine.Take(path, one.Digest.ToString(), $"the blob {one.Digest} {one.Actual}");
            var aside = $"put aside as {Path.GetFileName(place)}";
            return size < 0 ? aside
                : await refetch.RunAsync(one.Digest, size, token).ConfigureAwait(false) is { } fetched ? $"{aside}, {fetched}"
                : null;
        }));

    private Fault Missing(string ns, string digest, long size, string how)
    {
        _missing.Add(digest);
        return new Fault(
            new Finding(FindingKind.BlobMissing, IsDamage: true, ns, digest, how)
            {
                Remedy = "'imagestore fsck --repair' fetches it again; or pull its image again.",
            },
            async token =>
            {
                var parsed = Digest.Parse(digest);
                var path = root.PathOf(parsed);
                if (File.Exists(path) && new FileInfo(path).Length != size)
                {
                    root.Quarantine.Take(path, digest, $"the blob {digest}: {how}");
                }

                return await refetch.RunAsync(parsed, size, token).ConfigureAwait(false);
            });
    }

    private IEnumerable<ResourceRow> Owners(string digest) =>
        _content.Namespaces(rows).Select(ns => _content.Find(rows, new Resource(ResourceKind.Content, ns, digest))).OfType<ResourceRow>();
}
