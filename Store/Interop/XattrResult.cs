namespace ImageStore.Store.Interop;

/// <summary>What came of setting an extended attribute.</summary>
public enum XattrResult
{
    /// <summary>It is set.</summary>
    Set,

    /// <summary>The file system keeps none of this kind.</summary>
    NotSupported,

    /// <summary>The kernel takes no such name or value, on any file system.</summary>
    Malformed,
}
