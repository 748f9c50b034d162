using ImageStore.Store.Containers;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Leases;
using ImageStore.Store.Namespaces;

namespace ImageStore.Store;

/// <summary>What one namespace of an open root has, and may have.</summary>
public sealed class Tenant
{
    private readonly QuotaKeeper _quotas;

    internal Tenant(StoreRoot root, string @namespace)
    {
        (Namespace, _quotas) = (@namespace, root.Quotas);
        (Content, Images, Leases) = (root.Content(@namespace), root.Images(@namespace), root.Leases(@namespace));
        Containers = root.Containers(@namespace);
    }

    /// <summary>The namespace's name.</summary>
    public string Namespace { get; }

    /// <summary>Its blobs.</summary>
    public IContentStore Content { get; }

    /// <summary>Its images.</summary>
    public ImageCatalogue Images { get; }

    /// <summary>Its leases.</summary>
    public LeaseManager Leases { get; }

    /// <summary>Its containers.</summary>
    public ContainerCatalogue Containers { get; }

    /// <inheritdoc cref="QuotaKeeper.Check"/>
    public void CheckQuota(long bytes, string what) => _quotas.Check(Namespace, bytes, what);

    /// <summary>Sets bytes of the quota aside for something that grows from nothing.</summary>
    /// <exception cref="ImageStoreException">Growing, where the quota does not have them (<see cref="ErrorKind.NoSpace"/>).</exception>
    public QuotaReservation Reserve(string what) => _quotas.Reserve(Namespace, 0, what);
}
