using ImageStore.Store.Oci;

namespace ImageStore.Engine.Transfer;

/// <summary>The labels by which the store finds what refers to a manifest, and by which a collector keeps it as long as that.</summary>
internal static class SubjectLabels
{
    /// <summary>containerd's back reference: the labelled blob lives as long as the one that it names.</summary>
    public const string Subject = "containerd.io/gc.bref.content.subject";

    public const string MediaType = "imagestore/media-type";

    public static void Add(Dictionary<string, string> labels, Descriptor manifest, DocumentLinks links)
    {
        if (links.Subject is { } subject)
        {
            labels[Subject] = subject.Digest.ToString();
            labels[MediaType] = manifest.MediaType;
        }
    }
}
