namespace ImageStore.Engine.Fsck;

/// <summary>What fsck found out of order.</summary>
public enum FindingKind
{
    /// <summary>The database cannot be read whole.</summary>
    MetadataDamaged,

    /// <summary>Rows of a namespace that is in no list.</summary>
    NamespaceUnlisted,

    /// <summary>A blob's bytes are not those that its name says.</summary>
    BlobDamaged,

    /// <summary>A namespace sees a blob whose file is not there, or is of another size.</summary>
    BlobMissing,

    /// <summary>A blob's file that no namespace sees; the next collection removes it.</summary>
    BlobUnclaimed,

    /// <summary>An image of which no platform is there whole.</summary>
    ImageIncomplete,

    /// <summary>A document without a label for something that it refers to and that is there: a collection would take that.</summary>
    ReferencesMissing,

    /// <summary>A snapshot whose folder is not there.</summary>
    SnapshotMissing,

    /// <summary>A snapshot whose image is not what was written.</summary>
    SnapshotDamaged,

    /// <summary>A snapshot whose parent is not there.</summary>
    SnapshotOrphaned,

    /// <summary>A snapshot's folder that no row names; the next opening removes it.</summary>
    SnapshotUnclaimed,

    /// <summary>Something in the root that is none of ours.</summary>
    ForeignFile,
}

/// <summary>Something out of order.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="IsDamage">Is something lost or wrong? Else it is only told.</param>
/// <param name="Namespace">Whose it is; null where it is nobody's alone.</param>
/// <param name="Subject">The digest, image, snapshot or path.</param>
/// <param name="Detail">What is wrong with it.</param>
public sealed record Finding(FindingKind Kind, bool IsDamage, string? Namespace, string Subject, string Detail)
{
    /// <summary>What was done about it; null when nothing was.</summary>
    public string? Repair { get; init; }

    /// <summary>What somebody can do about it; null when it is repaired, or needs nothing.</summary>
    public string? Remedy { get; init; }
}
