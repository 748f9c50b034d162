namespace ImageStore.Store.Resources;

/// <summary>Something that keeps other things, or is kept by them.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Namespace">Its namespace; nothing is kept from another one.</param>
/// <param name="Key">Its name there.</param>
public readonly record struct Resource(ResourceKind Kind, string Namespace, string Key)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Kind.ToString().ToLowerInvariant()} {Key}";
}
