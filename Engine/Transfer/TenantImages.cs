using ImageStore.Distribution.Transfer;
using ImageStore.Store;
using ImageStore.Store.Images;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Transfer;

/// <summary>A namespace's images, to copy from and into.</summary>
internal sealed class TenantImages(Tenant tenant)
{
    /// <summary>The images, to copy from.</summary>
    public IImageSource AsSource() => new StoreSource(tenant.Content, tenant.Images);

    /// <summary>The namespace, to copy images into.</summary>
    /// <param name="names">Makes an image's full name out of the tag that it is put under.</param>
    /// <param name="cancellationToken">Ends the making of the lease that keeps what arrives.</param>
    public async Task<IImageTarget> AsTargetAsync(Func<string, string> names, CancellationToken cancellationToken)
    {
        var lease = await tenant.Leases.CreateForAsync("import", cancellationToken).ConfigureAwait(false);
        return new StoreTarget(tenant.Content, tenant.Images, tenant.Leases, lease, names);
    }

    /// <summary>Makes <paramref name="name"/> stand for <paramref name="target"/>, which is in the store.</summary>
    /// <param name="name">The full name.</param>
    /// <param name="target">What it is to name.</param>
    /// <param name="labels">Labels that it gets beside our own.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<ImageRecord> NameAsync(
        string name, Descriptor target, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var summary = await new ImageLister(tenant.Content).SumUpAsync(target, cancellationToken).ConfigureAwait(false);
        return await tenant.Images.PutAsync(name, target, Labels.Merge(summary.ToLabels(target), labels), cancellationToken).ConfigureAwait(false);
    }
}
