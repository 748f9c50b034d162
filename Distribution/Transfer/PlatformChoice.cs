using System.Text.Json;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer;

/// <summary>Takes platforms out of an index.</summary>
internal static class PlatformChoice
{
    private const int MaxShown = 20;

    /// <summary>The entries for <paramref name="platforms"/>, the best match of each, in the index's order, with their attestations.</summary>
    /// <exception cref="ImageStoreException">A platform is not there (<see cref="ErrorKind.NotFound"/>).</exception>
    public static IReadOnlyList<Descriptor> Entries(ImageIndex index, IReadOnlyList<Platform> platforms, string subject)
    {
        HashSet<Digest> chosen = [];
        foreach (var platform in platforms)
        {
            var best = index.CandidatesFor(platform).FirstOrDefault(entry => entry.Platform is not null);
            chosen.Add(best?.Digest ?? throw new ImageStoreException(
                ErrorKind.NotFound,
                $"{subject} has no image for the platform {platform}; it has {Offered(index)}.",
                "Choose one that it has, or leave --platform out to take all."));
        }

        return [.. index.Manifests.Where(entry => chosen.Contains(entry.Digest) || IsAbout(entry, chosen))];
    }

    /// <summary>The index with <paramref name="entries"/> alone, written anew.</summary>
    public static FetchedManifest Index(ImageIndex index, string mediaType, IReadOnlyList<Descriptor> entries)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(index with { Manifests = entries }, OciJson.Writing.ImageIndex);
        return new FetchedManifest(
            new Descriptor { MediaType = mediaType, Digest = Digest.Compute(bytes), Size = bytes.Length }, bytes);
    }

    // BuildKit names the image that an attestation is about in an annotation.
    private static bool IsAbout(Descriptor entry, HashSet<Digest> chosen) =>
        ImageIndex.IsAttestation(entry)
        && entry.Annotations?.GetValueOrDefault("vnd.docker.reference.digest") is { } about
        && Digest.TryParse(about, out var digest)
        && chosen.Contains(digest);

    private static string Offered(ImageIndex index)
    {
        var all = index.Manifests.Where(entry => !ImageIndex.IsAttestation(entry))
            .Select(entry => entry.Platform?.ToString()).OfType<string>().Distinct().ToList();
        return all.Count == 0 ? "none that is named"
            : Printable.Of(string.Join(", ", all.Take(MaxShown))) + (all.Count > MaxShown ? ", …" : string.Empty);
    }
}
