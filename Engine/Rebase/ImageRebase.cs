using System.Text.Json.Nodes;
using ImageStore.Engine.Commit;
using ImageStore.Engine.Pull;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Leases;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Rebase;

/// <summary>Puts an image's own layers onto another base, without reading a byte of any layer.</summary>
/// <remarks>That is sound only where the image's own layers do not depend on files of the old base that the new one has otherwise.</remarks>
internal sealed class ImageRebase(Tenant tenant, Func<string, ImageRecord> findImage)
{
    private static readonly string[] s_platformMembers = ["architecture", "os", "variant", "os.version", "os.features"];

    public async Task<RebaseResult> RunAsync(RebaseRequest request, CancellationToken cancellationToken)
    {
        var name = ImageNames.ForNew(request.Name);
        var lease = await tenant.Leases.CreateForAsync("rebase", cancellationToken).ConfigureAwait(false);
        try
        {
            var image = await ReadAsync(request.Image, request.Platform ?? Platform.Current, lease, cancellationToken).ConfigureAwait(false);
            var platform = image.Platform ?? request.Platform ?? Platform.Current;
            var annotations = image.Manifest.Annotations ?? Labels.None;
            var oldName = request.OldBase ?? annotations.GetValueOrDefault(ImageAssembler.BaseDigest)
                ?? throw Unknown(request.Image, "--old-base", ImageAssembler.BaseDigest);
            var newName = request.NewBase ?? annotations.GetValueOrDefault(ImageAssembler.BaseName)
                ?? throw Unknown(request.Image, "--new-base", ImageAssembler.BaseName);
            var oldBase = await ReadAsync(oldName, platform, lease, cancellationToken).ConfigureAwait(false);
            var newBase = await ReadAsync(newName, platform, lease, cancellationToken).ConfigureAwait(false);
            if (image.DiffIds.Count < oldBase.DiffIds.Count || !image.DiffIds.Take(oldBase.DiffIds.Count).SequenceEqual(oldBase.DiffIds))
            {
                throw new ImageStoreException(
                    ErrorKind.FailedPrecondition,
                    $"{Printable.Of(request.Image)} does not stand on {Printable.Of(oldName)}: its lowest layers are others.",
                    "Name with --old-base what it was made of, at the digest that it had then.");
            }

            var own = image.DiffIds.Count - oldBase.DiffIds.Count;
            var target = await new ImageAssembler(tenant).PutAsync(
                name,
                Config(image, oldBase, newBase),
                [.. newBase.Manifest.Layers, .. image.Manifest.Layers.TakeLast(own)],
                Annotations(annotations, newBase),
                lease,
                cancellationToken).ConfigureAwait(false);
            return new RebaseResult(name, target, oldBase.DiffIds.Count, newBase.DiffIds.Count, own);
        }
        finally
        {
            await tenant.Leases.DeleteAsync(lease.Id, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task<BaseImage> ReadAsync(string reference, Platform platform, Lease lease, CancellationToken cancellationToken)
    {
        var (name, top) = await new BaseFinder(tenant).ResolveAsync(reference, findImage, cancellationToken).ConfigureAwait(false);

        // Before it is looked what is there, so that none of it goes meanwhile.
        await tenant.Leases.AddAsync(lease, new LeaseResource("content", top.Digest.ToString()), cancellationToken).ConfigureAwait(false);
        var found = await new StoredImage(tenant.Content).FindManifestAsync(top, platform, cancellationToken).ConfigureAwait(false)
            ?? throw new ImageStoreException(
                ErrorKind.NotFound,
                $"The store does not have {Printable.Of(reference)} for the platform {platform}.",
                "Pull it for that platform, or choose another one with --platform.");
        return await BaseImage.ReadAsync(tenant.Content, name, found, cancellationToken).ConfigureAwait(false);
    }

    private static JsonObject Config(BaseImage image, BaseImage oldBase, BaseImage newBase)
    {
        var config = image.Config.DeepClone().AsObject();
        foreach (var member in s_platformMembers)
        {
            config.Remove(member);
            if (newBase.Config[member] is { } value)
            {
                config[member] = value.DeepClone();
            }
        }

        config["config"] = ConfigMerge.Merge(
            image.Config["config"] as JsonObject ?? [], oldBase.Config["config"] as JsonObject ?? [], newBase.Config["config"] as JsonObject ?? []);
        var own = ConfigHistory.After(
            ConfigHistory.Of(image.Config, image.DiffIds.Count), ConfigHistory.Of(oldBase.Config, oldBase.DiffIds.Count), oldBase.DiffIds.Count);
        ConfigHistory.Set(
            config,
            newBase.DiffIds.Concat(image.DiffIds.Skip(oldBase.DiffIds.Count)),
            ConfigHistory.Of(newBase.Config, newBase.DiffIds.Count).Concat(own));
        return config;
    }

    private static Dictionary<string, string> Annotations(IReadOnlyDictionary<string, string> before, BaseImage newBase)
    {
        var annotations = new Dictionary<string, string>(before, StringComparer.Ordinal);
        annotations.Remove(ImageAssembler.BaseName);
        annotations.Remove(ImageAssembler.BaseDigest);
        foreach (var (key, value) in ImageAssembler.Annotate(newBase))
        {
            annotations[key] = value;
        }

        return annotations;
    }

    private static ImageStoreException Unknown(string image, string option, string annotation) => new(
        ErrorKind.InvalidArgument,
        $"{Printable.Of(image)} does not say what it stands on: it has no annotation {annotation}.",
        $"Name it with {option}.");
}
