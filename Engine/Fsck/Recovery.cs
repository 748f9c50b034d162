using ImageStore.Engine.Pull;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Fsck;

/// <summary>After a database was rebuilt: gives back what the disk has and the rows have forgotten.</summary>
/// <remarks>
/// What an image of a namespace needs is that namespace's again. What nobody names any more goes to the namespace
/// <c>recovered</c>, which no tenant has: whose it was is lost, and to guess would be to give it away.
/// </remarks>
internal sealed class Recovery(StoreRoot root, TimeProvider time)
{
    /// <summary>Where things go whose owner is not known.</summary>
    public const string Namespace = "recovered";

    private const string NamePrefix = "recovered.invalid/";
    private const int ShortDigest = 12;

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken)
    {
        List<Finding> findings = [];
        foreach (var ns in root.Namespaces.List().Select(ns => ns.Name).ToList())
        {
            var given = 0;
            foreach (var image in root.Images(ns).List())
            {
                given += await GiveAsync(ns, image.Target, cancellationToken).ConfigureAwait(false);
            }

            if (given > 0)
            {
                findings.Add(Told(ns, ns, $"{given} blobs of its images were not in the rebuilt metadata", "given back"));
            }
        }

        findings.AddRange(await OwnerlessAsync(cancellationToken).ConfigureAwait(false));
        findings.AddRange(await SnapshotsAsync(cancellationToken).ConfigureAwait(false));
        return findings;
    }

    private static Finding Told(string? ns, string subject, string detail, string repair) =>
        new(FindingKind.MetadataDamaged, IsDamage: true, ns, subject, detail) { Repair = repair };

    /// <summary>Gives a document and what it refers to to a namespace, as far as the disk has it; gives how many were new.</summary>
    private async Task<int> GiveAsync(string ns, Descriptor target, CancellationToken cancellationToken)
    {
        var given = 0;
        HashSet<Digest> seen = [];
        Stack<Descriptor> open = new([target]);
        while (open.TryPop(out var node) && seen.Count < OciLimits.MaxManifestsPerImage)
        {
            if (!seen.Add(node.Digest))
            {
                continue;
            }

            var links = await DocumentAsync(node, cancellationToken).ConfigureAwait(false);
            given += await RecordAsync(ns, node, links?.Labels, cancellationToken).ConfigureAwait(false) ? 1 : 0;
            foreach (var next in links is null ? [] : links.Value.Links.Manifests.Concat(links.Value.Links.Blobs))
            {
                open.Push(next);
            }
        }

        return given;
    }

    private async Task<bool> RecordAsync(
        string ns, Descriptor blob, Dictionary<string, string>? labels, CancellationToken cancellationToken) =>
        root.Content(ns).Find(blob.Digest) is null
        && await root.GiveAsync(ns, blob, labels ?? [], cancellationToken).ConfigureAwait(false);

    /// <summary>The document of a descriptor, when it is one and the disk has its bytes.</summary>
    private async Task<(DocumentLinks Links, Dictionary<string, string> Labels)?> DocumentAsync(Descriptor node, CancellationToken cancellationToken)
    {
        var file = new FileInfo(root.PathOf(node.Digest));
        if (!file.Exists || file.Length > OciLimits.MaxManifestBytes || file.Length != node.Size)
        {
            return null;
        }

        var bytes = await File.ReadAllBytesAsync(file.FullName, cancellationToken).ConfigureAwait(false);
        if (Digest.Compute(bytes, node.Digest.Algorithm) != node.Digest)
        {
            return null;
        }

        try
        {
            var links = DocumentLinks.Parse(bytes, node.MediaType);
            return (links, GcLabels.OfDocument(bytes, node.MediaType, links));
        }
        catch (ImageStoreException none) when (none.Kind is ErrorKind.CorruptData or ErrorKind.Unsupported or ErrorKind.LimitExceeded)
        {
            return null;
        }
    }

    /// <summary>Blobs that no namespace sees, under names for those that are images.</summary>
    private async Task<IReadOnlyList<Finding>> OwnerlessAsync(CancellationToken cancellationToken)
    {
        var owned = root.Namespaces.List().SelectMany(ns => root.Content(ns.Name).List()).Select(blob => blob.Digest).ToHashSet();
        var ownerless = root.BlobFiles().Where(file => !owned.Contains(file.Digest)).ToList();
        if (ownerless.Count == 0)
        {
            return [];
        }

        await root.Namespaces.EnsureAsync(Namespace, cancellationToken).ConfigureAwait(false);
        Dictionary<Digest, Descriptor> documents = [];
        HashSet<Digest> children = [];
        foreach (var (digest, path) in ownerless)
        {
            var blob = new Descriptor { MediaType = MediaTypes.OctetStream, Digest = digest, Size = new FileInfo(path).Length };
            if (await TypedAsync(blob, cancellationToken).ConfigureAwait(false) is { } document
                && await DocumentAsync(document, cancellationToken).ConfigureAwait(false) is { } read)
            {
                documents[digest] = document;
                children.UnionWith(read.Links.Manifests.Concat(read.Links.Blobs).Select(child => child.Digest));
                await RecordAsync(Namespace, document, read.Labels, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await RecordAsync(Namespace, blob, null, cancellationToken).ConfigureAwait(false);
            }
        }

        var images = documents.Where(document => !children.Contains(document.Key)).Select(document => document.Value).ToList();
        foreach (var image in images)
        {
            await root.Images(Namespace).PutAsync(
                $"{NamePrefix}{image.Digest.AlgorithmName}-{image.Digest.Hex[..ShortDigest]}:latest", image, Labels.None, cancellationToken)
                .ConfigureAwait(false);
        }

        // The rest would go with the next collection, and nobody has looked at it yet.
        foreach (var (digest, _) in ownerless.Where(file => !documents.ContainsKey(file.Digest) && !children.Contains(file.Digest)))
        {
            await root.Content(Namespace).UpdateLabelsAsync(
                digest, new Dictionary<string, string> { [Labels.Root] = time.GetUtcNow().ToString("O") }, cancellationToken).ConfigureAwait(false);
        }

        return [Told(
            Namespace,
            Namespace,
            $"{ownerless.Count} blobs had no owner in the rebuilt metadata",
            $"kept in the namespace {Namespace}, with names for {images.Count} images: 'imagestore -n {Namespace} images ls'; 'imagestore namespaces rm {Namespace} --purge' drops them")];
    }

    private async Task<Descriptor?> TypedAsync(Descriptor blob, CancellationToken cancellationToken)
    {
        if (blob.Size > OciLimits.MaxManifestBytes)
        {
            return null;
        }

        var bytes = await File.ReadAllBytesAsync(root.PathOf(blob.Digest), cancellationToken).ConfigureAwait(false);
        try
        {
            return OciDocument.DeclaredMediaType(bytes) is { } type && (MediaTypes.IsManifest(type) || MediaTypes.IsIndex(type))
                ? blob with { MediaType = type }
                : null;
        }
        catch (ImageStoreException none) when (none.Kind is ErrorKind.CorruptData or ErrorKind.LimitExceeded)
        {
            return null;
        }
    }

    /// <summary>Folders of snapshots that no row names may hold what a container wrote: they are put aside, where an opening would sweep them.</summary>
    private async Task<IReadOnlyList<Finding>> SnapshotsAsync(CancellationToken cancellationToken)
    {
        var named = SnapshotPlaces.All(root.Directory, root.Database).Select(place => place.Directory).ToHashSet(StringComparer.Ordinal);
        List<Finding> findings = [];
        foreach (var folder in SnapshotPlaces.Folders(root.Directory)
            .Where(folder => !named.Contains(folder) && Path.GetFileName(folder).All(char.IsAsciiDigit)).ToList())
        {
            var aside = root.Quarantine.Take(folder, $"snapshot-{Path.GetFileName(folder)}", "no row of the rebuilt metadata names it");
            findings.Add(Told(null, Path.GetRelativePath(root.Directory, folder), "no snapshot has this folder in the rebuilt metadata", $"put aside as {Path.GetFileName(aside)}"));
        }

        await SnapshotPlaces.ReserveIdsAsync(root.Directory, root.Database, cancellationToken).ConfigureAwait(false);
        return findings;
    }
}
