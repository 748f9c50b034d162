using System.Globalization;
using ImageStore.Engine.Pull;
using ImageStore.Gc;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Oci;
using ImageStore.Store.Resources;

namespace ImageStore.Engine.Fsck;

/// <summary>After a database was rebuilt: gives back what the disk has and the rows have forgotten.</summary>
/// <remarks>
/// Where a root has one namespace, what its images need is its again. Where it has several, whose a blob was is lost with its
/// row, and what a document says is anybody's word: it goes to a namespace of its own, <c>recovered-TIME</c>, which no tenant has.
/// </remarks>
internal sealed class Recovery(StoreRoot root, RebuildMark mark, TimeProvider time)
{
    private const string NamePrefix = "recovered.invalid/";
    private const int ShortDigest = 12;
    private static readonly string[] s_keepers = ["images", "leases", "leaseresources"];

    private readonly string _namespace = "recovered-" + mark.At.UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
    private readonly IResourceTable _content = root.Resources.Single(table => table.Kind == ResourceKind.Content);

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken)
    {
        List<Finding> findings = [];
        var tenants = root.Resources.SelectMany(table => table.Namespaces(root.Database)).Concat(root.Namespaces.List().Select(ns => ns.Name))
            .Where(ns => ns != _namespace).Distinct(StringComparer.Ordinal).ToList();
        if (tenants is [var only])
        {
            findings.AddRange(await GiveBackAsync(only, cancellationToken).ConfigureAwait(false));
        }

        findings.AddRange(await OwnerlessAsync(cancellationToken).ConfigureAwait(false));
        if (mark.Lost.Any(s_keepers.Contains))
        {
            findings.AddRange(await UnreachedAsync(cancellationToken).ConfigureAwait(false));
        }

        findings.AddRange(await SnapshotsAsync(cancellationToken).ConfigureAwait(false));
        return findings;
    }

    private async Task<IReadOnlyList<Finding>> GiveBackAsync(string ns, CancellationToken cancellationToken)
    {
        var given = 0;
        foreach (var image in root.Images(ns).List())
        {
            given += await GiveAsync(ns, image.Target, cancellationToken).ConfigureAwait(false);
        }

        return given == 0 ? [] : [Told(ns, ns, $"{given} blobs of its images were not in the rebuilt metadata", "given back")];
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

        if (await ReadAsync(file.FullName, cancellationToken).ConfigureAwait(false) is not { } bytes
            || Digest.Compute(bytes, node.Digest.Algorithm) != node.Digest)
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

    /// <summary>Blobs that no namespace sees.</summary>
    private async Task<IReadOnlyList<Finding>> OwnerlessAsync(CancellationToken cancellationToken)
    {
        var owned = _content.Namespaces(root.Database).SelectMany(ns => _content.All(root.Database, ns)).Select(blob => blob.Resource.Key)
            .ToHashSet(StringComparer.Ordinal);
        var ownerless = root.BlobFiles().Select(file => file.Digest).Where(digest => !owned.Contains(digest.ToString())).ToList();
        if (ownerless.Count == 0)
        {
            return [];
        }

        await root.Namespaces.EnsureAsync(_namespace, cancellationToken).ConfigureAwait(false);
        var images = await KeepAsync(_namespace, ownerless, cancellationToken).ConfigureAwait(false);
        return [Told(
            _namespace,
            _namespace,
            $"{ownerless.Count} blobs had no owner in the rebuilt metadata",
            $"kept in the namespace {_namespace}, with names for {images} images: 'imagestore -n {_namespace} images ls'; 'imagestore namespaces rm {_namespace} --purge' drops them")];
    }

    /// <summary>Blobs that their namespaces see and nothing keeps, when it is not sure that nothing did.</summary>
    private async Task<IReadOnlyList<Finding>> UnreachedAsync(CancellationToken cancellationToken)
    {
        List<Finding> findings = [];
        using var collector = new Collector(root, time);
        var plan = await collector.PlanAsync(cancellationToken).ConfigureAwait(false);
        foreach (var ns in plan.Removed.Where(one => one.Kind == ResourceKind.Content).GroupBy(one => one.Namespace))
        {
            var images = await KeepAsync(ns.Key, [.. ns.Select(blob => Digest.Parse(blob.Key))], cancellationToken).ConfigureAwait(false);
            findings.Add(Told(
                ns.Key,
                ns.Key,
                $"nothing in the rebuilt metadata keeps {ns.Count()} of its blobs, and images or leases of it may be lost",
                $"kept, with names for {images} images below {NamePrefix}: pull what is wanted, and remove these"));
        }

        return findings;
    }

    /// <summary>Keeps blobs in a namespace: under names those that are images, with a label those that nothing refers to.</summary>
    /// <returns>How many images there are.</returns>
    private async Task<int> KeepAsync(string ns, IReadOnlyList<Digest> blobs, CancellationToken cancellationToken)
    {
        Dictionary<Digest, Descriptor> documents = [];
        HashSet<Digest> children = [];
        foreach (var digest in blobs)
        {
            var file = new FileInfo(root.PathOf(digest));
            if (!file.Exists)
            {
                continue;
            }

            var blob = new Descriptor { MediaType = MediaTypes.OctetStream, Digest = digest, Size = file.Length };
            if (await TypedAsync(blob, cancellationToken).ConfigureAwait(false) is { } document
                && await DocumentAsync(document, cancellationToken).ConfigureAwait(false) is { } read)
            {
                documents[digest] = document;
                children.UnionWith(read.Links.Manifests.Concat(read.Links.Blobs).Select(child => child.Digest));
                await RecordAsync(ns, document, read.Labels, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await RecordAsync(ns, blob, null, cancellationToken).ConfigureAwait(false);
            }
        }

        var images = documents.Where(document => !children.Contains(document.Key)).Select(document => document.Value).ToList();
        foreach (var image in images)
        {
            await root.Images(ns).PutAsync(
                $"{NamePrefix}{image.Digest.AlgorithmName}-{image.Digest.Hex[..ShortDigest]}:latest", image, Labels.None, cancellationToken)
                .ConfigureAwait(false);
        }

        // The rest would go with the next collection, and nobody has looked at it yet.
        foreach (var digest in blobs.Where(digest => !documents.ContainsKey(digest) && !children.Contains(digest) && root.Content(ns).Find(digest) is not null))
        {
            await root.Content(ns).UpdateLabelsAsync(
                digest, new Dictionary<string, string> { [Labels.Root] = time.GetUtcNow().ToString("O") }, cancellationToken).ConfigureAwait(false);
        }

        return images.Count;
    }

    private async Task<Descriptor?> TypedAsync(Descriptor blob, CancellationToken cancellationToken)
    {
        if (blob.Size > OciLimits.MaxManifestBytes)
        {
            return null;
        }

        try
        {
            return await ReadAsync(root.PathOf(blob.Digest), cancellationToken).ConfigureAwait(false) is { } bytes
                && OciDocument.DeclaredMediaType(bytes) is { } type && (MediaTypes.IsManifest(type) || MediaTypes.IsIndex(type))
                ? blob with { MediaType = type }
                : null;
        }
        catch (ImageStoreException none) when (none.Kind is ErrorKind.CorruptData or ErrorKind.LimitExceeded)
        {
            return null;
        }
    }

    // Whatever the disk does not give is no document, and keeps nobody from the rest.
    private static async Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
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
