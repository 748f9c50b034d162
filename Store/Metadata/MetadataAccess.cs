namespace ImageStore.Store.Metadata;

/// <summary>What a process wants of a database.</summary>
public enum MetadataAccess
{
    /// <summary>The one writer.</summary>
    ReadWrite,

    /// <summary>One of any number of readers, beside a writer or without one; sees the state at its opening.</summary>
    ReadOnly,
}
