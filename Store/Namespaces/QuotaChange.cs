namespace ImageStore.Store.Namespaces;

/// <summary>How limits change: what is not set stays as it is, and what is set to null has no limit any more.</summary>
/// <param name="SetsBytes">Is the limit of bytes set?</param>
/// <param name="Bytes">To what.</param>
/// <param name="SetsImages">Is the limit of images set?</param>
/// <param name="Images">To what.</param>
public sealed record QuotaChange(bool SetsBytes, long? Bytes, bool SetsImages, int? Images)
{
    /// <summary>Does it change nothing?</summary>
    public bool IsNone => !SetsBytes && !SetsImages;

    /// <summary>The limits afterwards.</summary>
    public NamespaceQuota Apply(NamespaceQuota before)
    {
        ArgumentNullException.ThrowIfNull(before);
        return new NamespaceQuota(SetsBytes ? Bytes : before.Bytes, SetsImages ? Images : before.Images);
    }
}
