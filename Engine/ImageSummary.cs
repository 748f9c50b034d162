using System.Globalization;
using ImageStore.Store;
using ImageStore.Store.Images;
using ImageStore.Store.Oci;

namespace ImageStore.Engine;

/// <summary>An image's size and platforms, which a pull leaves in a label so that a list need not read manifests.</summary>
/// <remarks>The label names the digest that it was made for: a name that moves on does not take it along.</remarks>
internal sealed record ImageSummary(long Size, IReadOnlyList<string> Platforms)
{
    private const string Label = "imagestore/summary";

    /// <summary>What the label says, or null when there is none for the present target.</summary>
    public static ImageSummary? Of(ImageRecord image) =>
        image.Labels.TryGetValue(Label, out var text)
        && text.Split(' ') is [var digest, var size, var platforms]
        && digest == image.Target.Digest.ToString()
        && long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
            ? new ImageSummary(bytes, platforms.Split(',', StringSplitOptions.RemoveEmptyEntries))
            : null;

    /// <summary>The label for <paramref name="target"/>; none when it would be too long.</summary>
    public IReadOnlyDictionary<string, string> ToLabels(Descriptor target)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{target.Digest} {Size} {string.Join(',', Platforms)}");
        return text.Length + Label.Length > Labels.MaxBytes || Platforms.Any(platform => platform.AsSpan().ContainsAny(' ', ','))
            ? Labels.None
            : new Dictionary<string, string> { [Label] = text };
    }
}
