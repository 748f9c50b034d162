using System.Text.Json;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Registry;

/// <summary>Keeps the referrers' index of the tag schema, for registries without the referrers API.</summary>
/// <remarks><see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject">Distribution spec, pushing manifests with subject</see>.</remarks>
internal sealed class ReferrerTag(RepositoryAccess access, ReferrerList referrers) : IDisposable
{
    private const int OciVersion = 2;

    // The tag is read, changed and written; two of our own must not lose each other's entry.
    private readonly SemaphoreSlim _turn = new(1, 1);

    public void Dispose() => _turn.Dispose();

    /// <summary>Adds <paramref name="referrer"/>, with the artifact type and annotations that its manifest has.</summary>
    public Task AddAsync(Digest subject, Descriptor referrer, DocumentLinks links, CancellationToken ct) => ChangeAsync(
        subject,
        entries => entries.Any(entry => entry.Digest == referrer.Digest)
            ? null
            : [.. entries, new Descriptor
                {
                    MediaType = referrer.MediaType,
                    Digest = referrer.Digest,
                    Size = referrer.Size,
                    ArtifactType = links.ArtifactType,
                    Annotations = links.Annotations,
                }],
        ct);

    /// <summary>Takes <paramref name="referrer"/> out.</summary>
    public Task RemoveAsync(Digest subject, Digest referrer, CancellationToken ct) => ChangeAsync(
        subject,
        entries => entries.All(entry => entry.Digest != referrer)
            ? null
            : [.. entries.Where(entry => entry.Digest != referrer)],
        ct);

    private async Task ChangeAsync(
        Digest subject, Func<IReadOnlyList<Descriptor>, IReadOnlyList<Descriptor>?> change, CancellationToken ct)
    {
        await _turn.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            var before = await referrers.FromTagAsync(subject, ct).ConfigureAwait(false);
            if (change(before?.Manifests ?? []) is not { } entries)
            {
                return;
            }

            var index = (before ?? new ImageIndex { SchemaVersion = OciVersion, MediaType = MediaTypes.OciIndex, Manifests = [] })
                with { Manifests = entries };
            var bytes = JsonSerializer.SerializeToUtf8Bytes(index, OciJson.Writing.ImageIndex);
            await ManifestPut.SendAsync(access, bytes, MediaTypes.OciIndex, ReferrerList.TagOf(subject), ct).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }
}
