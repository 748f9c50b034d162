using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer;

/// <summary>Follows an image through its source, and finds all that belongs to a copy of it.</summary>
internal sealed class CopyPlanner(IImageSource source, CopyOptions options)
{
    // All documents of an image are held in memory until they are written.
    private const int MaxDocumentBytes = 64 * 1024 * 1024;
    private static readonly string[] s_cosignSuffixes = [".sig", ".att", ".sbom"];

    private readonly List<PlannedDocument> _documents = [];
    private readonly HashSet<Digest> _seen = [];
    private int _bytes;

    /// <summary>The plan of the image that <paramref name="root"/> names.</summary>
    /// <exception cref="ImageStoreException">A part is missing or malformed, or the image is over a limit.</exception>
    public async Task<CopyPlan> PlanAsync(Descriptor root, CancellationToken cancellationToken)
    {
        var target = await VisitRootAsync(root, cancellationToken).ConfigureAwait(false);
        if (options.Referrers)
        {
            await AddReferrersAsync(cancellationToken).ConfigureAwait(false);
        }

        if (options.DigestTags)
        {
            await AddDigestTagsAsync(cancellationToken).ConfigureAwait(false);
        }

        return new CopyPlan(root, target, _documents);
    }

    private async Task<Descriptor> VisitRootAsync(Descriptor root, CancellationToken cancellationToken)
    {
        if (options.Platforms is not { } platforms || !MediaTypes.IsIndex(root.MediaType))
        {
            await VisitAsync(root, 0, cancellationToken).ConfigureAwait(false);
            return root;
        }

        var fetched = await FetchAsync(root, cancellationToken).ConfigureAwait(false);
        var index = OciDocument.ParseIndex(fetched.Bytes, root.MediaType);
        var entries = PlatformChoice.Entries(index, platforms, $"{source.Name}@{root.Digest}");
        if (platforms.Count == 1 && !options.Sparse)
        {
            var only = entries.First(entry => !ImageIndex.IsAttestation(entry));
            return await VisitRootAsync(only, cancellationToken).ConfigureAwait(false);
        }

        foreach (var entry in entries)
        {
            await VisitAsync(entry, 1, cancellationToken).ConfigureAwait(false);
        }

        var kept = options.Sparse || entries.Count == index.Manifests.Count
            ? fetched
            : PlatformChoice.Index(index, root.MediaType, entries);
        _documents.Add(new PlannedDocument(kept, []));
        return kept.Descriptor;
    }

    private async Task VisitAsync(Descriptor node, int depth, CancellationToken cancellationToken, string? tag = null)
    {
        if (depth > OciLimits.MaxIndexDepth)
        {
            throw new ImageStoreException(
                ErrorKind.LimitExceeded, $"{source.Name}: indexes are nested more than {OciLimits.MaxIndexDepth} deep.");
        }

        if (!_seen.Add(node.Digest))
        {
            return;
        }

        var fetched = await FetchAsync(node, cancellationToken).ConfigureAwait(false);
        var links = DocumentLinks.Parse(fetched.Bytes, node.MediaType);
        foreach (var child in links.Manifests)
        {
            // An index may list any blob; what is no document is copied as it is.
            if (MediaTypes.IsDocument(child.MediaType)
                && !(options.Sparse && !await HeldParts.HasAllAsync(source, child, cancellationToken).ConfigureAwait(false)))
            {
                await VisitAsync(child, depth + 1, cancellationToken).ConfigureAwait(false);
            }
        }

        _documents.Add(new PlannedDocument(
            fetched, [.. links.Blobs, .. links.Manifests.Where(child => !MediaTypes.IsDocument(child.MediaType))], tag));
    }

    private async Task AddReferrersAsync(CancellationToken cancellationToken)
    {
        // The list grows while it is walked: referrers have referrers.
        for (var i = 0; i < _documents.Count; i++)
        {
            var subject = _documents[i].Manifest.Descriptor.Digest;
            foreach (var referrer in await source.ListReferrersAsync(subject, cancellationToken).ConfigureAwait(false))
            {
                await VisitAsync(Bare(referrer), 0, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task AddDigestTagsAsync(CancellationToken cancellationToken)
    {
        foreach (var digest in _documents.Select(document => document.Manifest.Descriptor.Digest).ToList())
        {
            foreach (var suffix in s_cosignSuffixes)
            {
                var tag = ReferrerList.TagOf(digest) + suffix;
                if (await source.FindAsync(tag, cancellationToken).ConfigureAwait(false) is { } found)
                {
                    await VisitAsync(found, 0, cancellationToken, tag).ConfigureAwait(false);
                }
            }
        }
    }

    private static Descriptor Bare(Descriptor referrer) =>
        new() { MediaType = referrer.MediaType, Digest = referrer.Digest, Size = referrer.Size };

    private async Task<FetchedManifest> FetchAsync(Descriptor node, CancellationToken cancellationToken)
    {
        var fetched = await source.FetchManifestAsync(node, cancellationToken).ConfigureAwait(false);
        _bytes += fetched.Bytes.Length;
        return _bytes <= MaxDocumentBytes && _documents.Count < OciLimits.MaxManifestsPerImage
            ? fetched
            : throw new ImageStoreException(
                ErrorKind.LimitExceeded,
                $"{source.Name}@{node.Digest} reaches more than {OciLimits.MaxManifestsPerImage} manifests or {MaxDocumentBytes} bytes of them.",
                "Copy fewer platforms, or leave out its referrers.");
    }
}
