using ImageStore.Engine.Pull;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Fsck;

/// <summary>Images against the blobs of their namespace: is one platform there whole, and do labels keep all that is?</summary>
internal sealed class ImageCheck(IContentStore content, ImageCatalogue images, string @namespace)
{
    // By digest: documents may name the same one thousands of times, level for level.
    private readonly Dictionary<Digest, bool> _whole = [];
    private readonly List<Fault> _faults = [];

    public async Task<IReadOnlyList<Fault>> RunAsync(CancellationToken cancellationToken)
    {
        foreach (var image in images.List())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!await IsWholeAsync(image.Target, 0, cancellationToken).ConfigureAwait(false))
            {
                _faults.Add(new Fault(new Finding(
                    FindingKind.ImageIncomplete, IsDamage: true, @namespace, image.Name, $"of {image.Target.Digest} no platform is there whole")
                {
                    Remedy = $"Pull it again: 'imagestore -n {@namespace} pull {Printable.Of(image.Name)}'.",
                }));
            }
        }

        return _faults;
    }

    /// <summary>Is a document there, with all that it needs, or of an index one entry?</summary>
    private async Task<bool> IsWholeAsync(Descriptor node, int depth, CancellationToken cancellationToken)
    {
        if (!_whole.TryGetValue(node.Digest, out var whole))
        {
            whole = await LookAsync(node, depth, cancellationToken).ConfigureAwait(false);
            _whole[node.Digest] = whole;
        }

        return whole;
    }

    private async Task<bool> LookAsync(Descriptor node, int depth, CancellationToken cancellationToken)
    {
        if (depth > OciLimits.MaxIndexDepth || await ReadAsync(node, cancellationToken).ConfigureAwait(false) is not { } bytes)
        {
            return false;
        }

        DocumentLinks links;
        try
        {
            links = DocumentLinks.Parse(bytes, node.MediaType);
            CheckLabels(node, GcLabels.OfDocument(bytes, node.MediaType, links));
        }
        catch (ImageStoreException unknown) when (unknown.Kind is ErrorKind.CorruptData or ErrorKind.Unsupported or ErrorKind.LimitExceeded)
        {
            // The bytes are those of the digest: what is wrong with them is their author's.
            return true;
        }

        var any = links.Manifests.Count == 0;
        foreach (var entry in links.Manifests.DistinctBy(entry => entry.Digest).Where(entry => content.Find(entry.Digest) is not null))
        {
            any |= await IsWholeAsync(entry, depth + 1, cancellationToken).ConfigureAwait(false);
        }

        return any && links.Blobs.All(IsThere);
    }

    private bool IsThere(Descriptor blob)
    {
        try
        {
            using var file = content.OpenRead(blob.Digest);
            return file.Length == blob.Size;
        }
        catch (ImageStoreException)
        {
            // Whatever keeps it from being read, a disk that fails too: it is not there.
            return false;
        }
    }

    private async Task<byte[]?> ReadAsync(Descriptor node, CancellationToken cancellationToken)
    {
        try
        {
            return await content.ReadVerifiedAsync(node, OciLimits.MaxManifestBytes, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is ImageStoreException or IOException)
        {
            return null;
        }
    }

    private void CheckLabels(Descriptor node, Dictionary<string, string> wanted)
    {
        var kept = content.Find(node.Digest)!.Labels.Where(label => label.Key.StartsWith(Labels.RefContent, StringComparison.Ordinal))
            .Select(label => label.Value).ToHashSet(StringComparer.Ordinal);
        var lost = wanted.Where(label => !kept.Contains(label.Value) && Digest.TryParse(label.Value, out var child) && content.Find(child) is not null)
            .ToDictionary(label => label.Key, label => label.Value);
        if (lost.Count > 0)
        {
            _faults.Add(new Fault(
                new Finding(
                    FindingKind.ReferencesMissing, IsDamage: true, @namespace, node.Digest.ToString(), $"its labels do not keep {lost.Count} of what it refers to")
                {
                    Remedy = "'imagestore fsck --repair' sets them; until then no 'imagestore gc'.",
                },
                async token =>
                {
                    await content.UpdateLabelsAsync(node.Digest, lost, token).ConfigureAwait(false);
                    return "labels set";
                }));
        }
    }
}
