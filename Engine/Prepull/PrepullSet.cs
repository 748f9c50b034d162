using ImageStore.Distribution.Registry;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Prepull;

/// <summary>The images that are to be there, as a set file says.</summary>
public sealed class PrepullSet
{
    internal PrepullSet(string name, Digest digest, IReadOnlyList<PrepullEntry> images) => (Name, Digest, Images) = (name, digest, images);

    /// <summary>What the set is called: what leaves it is known by this name.</summary>
    public string Name { get; }

    /// <summary>Of the file, so that a job knows whether it is still the same.</summary>
    public Digest Digest { get; }

    /// <summary>The images in the file's order.</summary>
    internal IReadOnlyList<PrepullEntry> Images { get; }
}

/// <summary>One image of a set.</summary>
/// <param name="Reference">Its name.</param>
/// <param name="Terms">How it is pulled.</param>
internal sealed record PrepullEntry(ImageReference Reference, PrepullTerms Terms)
{
    /// <summary>The full name, as kubelets and containerd's clients write it.</summary>
    public string Name => Reference.Canonical;
}
