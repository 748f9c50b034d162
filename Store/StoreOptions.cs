using ImageStore.Store.Content;
using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Store;

/// <summary>How a root is opened.</summary>
public sealed record StoreOptions
{
    /// <summary>A reader takes no lock and needs no root to be there.</summary>
    public MetadataAccess Access { get; init; } = MetadataAccess.ReadWrite;

    /// <summary>Who has the root now, as those who wait for it are told; null for the program's name.</summary>
    public string? Holder { get; init; }

    /// <summary>Is told who has the root while it is waited for; null not to wait.</summary>
    public Action<string>? OnWait { get; init; }

    /// <summary>Is it to be repaired? Nobody else may write a root whose rebuilt metadata does not know yet all that the disk has.</summary>
    public bool IsRepair { get; init; }

    /// <summary>Which blobs of other namespaces a namespace may have without bringing their bytes.</summary>
    public ContentSharing Sharing { get; init; } = ContentSharing.Proof;

    /// <summary>Resources that others keep in the root, such as snapshots; given the root directory.</summary>
    public Func<string, IReadOnlyList<IResourceTable>> OtherResources { get; init; } = _ => [];

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
