using System.Text.Json;
using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Registry;

/// <summary>Lists a repository's tags.</summary>
/// <remarks><see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags">Distribution spec, listing tags</see>.</remarks>
internal static class TagList
{
    private const int MaxPageBytes = 8 * 1024 * 1024;
    private const int MaxTags = 1_000_000;

    public static async Task<IReadOnlyList<string>> ReadAsync(RepositoryAccess access, CancellationToken ct)
    {
        var subject = access.Reference.RepositoryName;
        List<string> found = [];

        // No page size is asked for: some registries refuse more than 1000, others give 100 whatever is asked.
        var first = new RepositoryRequest(RegistryPurpose.Resolve, HttpMethod.Get, "tags/list") { BodyLimit = MaxPageBytes };
        await foreach (var page in Pages.ReadAsync(access, first, subject, ct).ConfigureAwait(false))
        {
            RepositoryAccess.ThrowUnlessSuccess(page, subject);
            found.AddRange(Parse(page, subject));
            if (found.Count > MaxTags)
            {
                throw new ImageStoreException(ErrorKind.LimitExceeded, $"{subject} has more than {MaxTags} tags.");
            }
        }

        return [.. found.Distinct(StringComparer.Ordinal)];
    }

    private static List<string> Parse(Reply page, string subject)
    {
        try
        {
            using var json = JsonDocument.Parse(page.Body);

            // Nexus says null where there are none, and Artifactory lists digests among the tags.
            return json.RootElement.TryGetProperty("tags", out var tags) && tags.ValueKind == JsonValueKind.Array
                ? [.. tags.EnumerateArray().Select(tag => tag.GetString() ?? string.Empty).Where(tag => ReferenceGrammar.IsTag(tag))]
                : [];
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            throw new ImageStoreException(
                ErrorKind.CorruptData,
                $"{subject}: what the registry sent is no list of tags.",
                "Check the address: a proxy or login page may answer in the registry's place.",
                malformed);
        }
    }
}
