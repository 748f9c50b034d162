using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>The extended attributes of a file that belong into a layer.</summary>
internal static class EntryAttributes
{
    private static ReadOnlySpan<byte> SecurityPrefix => "security."u8;

    private static ReadOnlySpan<byte> Capability => "security.capability\0"u8;

    /// <summary>Names, each with its NUL, and values, ordered by name.</summary>
    public static List<(byte[] Name, byte[] Value)> Read(in FoundEntry entry)
    {
        List<(byte[] Name, byte[] Value)> found = [];
        foreach (var name in Xattr.List(entry.Parent, entry.Name))
        {
            if (Belongs(name) && Xattr.Get(entry.Parent, entry.Name, name) is { } value)
            {
                found.Add((name, value));
            }
        }

        found.Sort(static (a, b) => NameOrder.Instance.Compare(a.Name, b.Name));
        return found;
    }

    public static bool AreSame(in FoundEntry left, in FoundEntry right)
    {
        var (a, b) = (Read(left), Read(right));
        return a.Count == b.Count
            && a.Zip(b).All(pair => pair.First.Name.AsSpan().SequenceEqual(pair.Second.Name)
                && pair.First.Value.AsSpan().SequenceEqual(pair.Second.Value));
    }

    // A security module's labels and the kernel's signatures are this machine's; capabilities are the file's.
    private static bool Belongs(ReadOnlySpan<byte> name) =>
        !OverlayAttributes.Owns(name) && (!name.StartsWith(SecurityPrefix) || name.SequenceEqual(Capability));
}
