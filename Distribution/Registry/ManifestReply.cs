using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Registry;

/// <summary>Judges what a registry sent as a manifest.</summary>
internal static class ManifestReply
{
    private const string DigestHeader = "Docker-Content-Digest";

    /// <summary>The descriptor, where the header alone tells it; else null, and the body must.</summary>
    public static Descriptor? FromHead(Reply reply, string tagOrDigest)
    {
        var mediaType = ContentType(reply);
        if (!Digest.TryParse(reply.Header(DigestHeader), out var digest)
            || reply.Message.Content.Headers.ContentLength is not (> 0 and <= OciLimits.MaxManifestBytes and var size)
            || mediaType is null
            || !MediaTypes.IsDocument(mediaType))
        {
            return null;
        }

        // A digest that was asked for wins over the header: that may use another algorithm, or lie.
        return Digest.TryParse(tagOrDigest, out var asked) && asked != digest
            ? null
            : new Descriptor { MediaType = mediaType, Digest = digest, Size = size };
    }

    /// <summary>The manifest, verified as far as anything is known of it.</summary>
    public static FetchedManifest FromGet(Reply reply, string tagOrDigest, string subject)
    {
        var header = ContentType(reply);
        var declared = Declared(reply, header, subject);
        var mediaType = header is null or "application/json" or "text/plain" or "application/octet-stream"
            ? declared
            : header;
        if (mediaType is not null && MediaTypes.IsSchema1(mediaType))
        {
            throw new ImageStoreException(
                ErrorKind.Unsupported,
                $"{subject} is a Docker schema 1 image, a format given up in 2017.",
                "Push the image again with a current tool.");
        }

        if (mediaType is null || !MediaTypes.IsDocument(mediaType))
        {
            throw new ImageStoreException(
                ErrorKind.Unsupported,
                $"{subject}: '{Printable.Of(mediaType ?? header ?? "nothing")}' is not an image's media type.",
                "Check that the name is an image's and the address a registry's.");
        }

        if (declared is not null && declared != mediaType)
        {
            throw Corrupt(subject, "the Content-Type and the manifest's mediaType differ");
        }

        var known = Digest.TryParse(tagOrDigest, out var asked)
            || Digest.TryParse(reply.Header(DigestHeader), out asked);
        var digest = Digest.Compute(reply.Body.Span, known ? asked.Algorithm : DigestAlgorithm.Sha256);
        if (known && digest != asked)
        {
            throw Corrupt(subject, $"the bytes' digest is {digest}, not {asked}");
        }

        return new FetchedManifest(
            new Descriptor { MediaType = mediaType, Digest = digest, Size = reply.Body.Length }, reply.Body);
    }

    private static string? Declared(Reply reply, string? header, string subject)
    {
        try
        {
            return OciDocument.DeclaredMediaType(reply.Body);
        }
        catch (ImageStoreException e)
        {
            throw new ImageStoreException(
                ErrorKind.CorruptData,
                $"{subject}: the registry sent '{Printable.Of(header ?? "bytes without a type")}' that is no manifest.",
                "Check the address: a proxy or login page may answer in the registry's place.",
                e);
        }
    }

    private static string? ContentType(Reply reply) =>
        reply.Header("Content-Type")?.Split(';')[0].Trim() is { Length: > 0 } type ? type : null;

    private static ImageStoreException Corrupt(string subject, string why) =>
        new(ErrorKind.CorruptData, $"{subject}: {why}.", "Try again; if it stays, the registry or a proxy alters it.");
}
