namespace ImageStore.Gc.Tests.Interleaving;

internal enum NodeKind
{
    Blob,

    /// <summary>A committed snapshot.</summary>
    Snapshot,

    /// <summary>A snapshot that somebody writes to.</summary>
    Active,

    Image,
}

/// <summary>One of the few things that a course has.</summary>
internal readonly record struct Node(int Ns, NodeKind Kind, int Index)
{
    /// <summary>What the store knows it by, in its namespace.</summary>
    public string Name => Kind switch
    {
        NodeKind.Blob => Support.CollectedRoot.DigestOf(Text).ToString(),
        NodeKind.Snapshot => $"committed{Index}",
        NodeKind.Active => $"active{Index}",
        _ => $"image{Index}",
    };

    /// <summary>A blob's bytes: the same in every namespace.</summary>
    public string Text => $"blob {Index}";
}
