using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Registry;

/// <summary>Lists the manifests that are about another one: by the API, or where there is none by the tag schema.</summary>
/// <remarks><see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers">Distribution spec, listing referrers</see>.</remarks>
internal sealed class ReferrerList(RepositoryAccess access)
{
    // The specification cuts a longer digest to this, since a tag has at most 128 characters.
    private const int MaxHexInTag = 64;
    private const int MaxReferrers = 100_000;

    /// <summary>The tag that holds the referrers of <paramref name="subject"/> where the API is missing.</summary>
    public static string TagOf(Digest subject) =>
        $"{subject.ToString()[..subject.ToString().IndexOf(':', StringComparison.Ordinal)]}-"
        + subject.Hex[..Math.Min(MaxHexInTag, subject.Hex.Length)];

    public async Task<IReadOnlyList<Descriptor>> ReadAsync(Digest subject, string? artifactType, CancellationToken ct)
    {
        var all = await FromApiAsync(subject, artifactType, ct).ConfigureAwait(false)
            ?? (await FromTagAsync(subject, ct).ConfigureAwait(false))?.Manifests
            ?? [];
        return artifactType is null ? all : [.. all.Where(entry => entry.ArtifactType == artifactType)];
    }

    /// <summary>Null where the registry has no such API.</summary>
    public async Task<IReadOnlyList<Descriptor>?> FromApiAsync(Digest subject, string? artifactType, CancellationToken ct)
    {
        var path = $"referrers/{subject}"
            + (artifactType is null ? string.Empty : $"?artifactType={Uri.EscapeDataString(artifactType)}");
        var first = new RepositoryRequest(RegistryPurpose.Referrers, HttpMethod.Get, path)
        {
            Accept = MediaTypes.OciIndex, BodyLimit = OciLimits.MaxManifestBytes,
        };
        List<Descriptor> found = [];
        await foreach (var page in Pages.ReadAsync(access, first, access.Subject(subject.ToString()), ct).ConfigureAwait(false))
        {
            if (!page.IsSuccess)
            {
                if ((int)page.Status is 401 or 408 or 429 or >= 500)
                {
                    throw ErrorReply.ToException(page, $"The referrers of {access.Subject(subject.ToString())}");
                }

                return null;
            }

            // Some registries lead to a web page instead, with a parameter or another type.
            if (page.Header("Content-Type")?.Split(';')[0].Trim() != MediaTypes.OciIndex)
            {
                return null;
            }

            found.AddRange(OciDocument.ParseIndex(page.Body, MediaTypes.OciIndex).Manifests);
            if (found.Count > MaxReferrers)
            {
                throw new ImageStoreException(
                    ErrorKind.LimitExceeded, $"{access.Subject(subject.ToString())} has more than {MaxReferrers} referrers.");
            }
        }

        return found;
    }

    /// <summary>The index under the tag of the tag schema; null where there is none.</summary>
    public async Task<ImageIndex?> FromTagAsync(Digest subject, CancellationToken ct)
    {
        using var reply = await access.SendAsync(
            new RepositoryRequest(RegistryPurpose.Referrers, HttpMethod.Get, $"manifests/{TagOf(subject)}")
            {
                Accept = MediaTypes.OciIndex, BodyLimit = OciLimits.MaxManifestBytes,
            },
            ct).ConfigureAwait(false);
        if (!reply.IsSuccess)
        {
            return (int)reply.Status is 404 or 403
                ? null
                : throw ErrorReply.ToException(reply, access.Subject(TagOf(subject)));
        }

        return OciDocument.DeclaredMediaType(reply.Body) is null or MediaTypes.OciIndex
            ? OciDocument.ParseIndex(reply.Body, MediaTypes.OciIndex)
            : null;
    }
}
