using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Pull;

namespace ImageStore.Engine.Prepull;

/// <summary>Pulls one image of a set for its platforms, and pins it.</summary>
internal sealed class SetPull(EngineOptions options, string set, PrepullEntry entry)
{
    /// <summary>Has the image there.</summary>
    /// <param name="askRegistry">False for what this job has seen to before: as long as it is there, the registry is not asked again.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The image, and whether anything had to be done for it.</returns>
    public async Task<(PullResult Result, bool IsNew)> RunAsync(bool askRegistry, TransferProgress progress, CancellationToken cancellationToken)
    {
        var engine = await StoreEngine.OpenAsync(
            options with { Registry = RegistryFor(options.Registry, entry.Terms) }, cancellationToken).ConfigureAwait(false);
        await using var closing = engine.ConfigureAwait(false);
        var terms = entry.Terms;
        var first = Request() with
        {
            Platform = terms.Platforms.Count > 0 ? terms.Platforms[0] : null,
            Unpack = terms.Unpack,
            Policy = askRegistry ? terms.Policy : PullPolicy.Missing,
        };
        var result = await engine.PullAsync(first, progress, cancellationToken).ConfigureAwait(false);
        var isNew = !result.UpToDate;
        foreach (var other in terms.Platforms.Skip(1))
        {
            // The first has asked what the name stands for.
            var also = await engine.PullAsync(
                Request() with { Platform = other, Unpack = false, Policy = PullPolicy.Missing }, progress, cancellationToken).ConfigureAwait(false);
            isNew |= !also.UpToDate;
        }

        if (terms.Pin && PinClaims.Claim(engine.FindImage(result.Name).Labels, set) is not null)
        {
            await engine.Images.UpdateAsync(
                result.Name, image => image with { Labels = PinClaims.Claim(image.Labels, set) ?? image.Labels }, null, cancellationToken).ConfigureAwait(false);
        }

        return (result, isNew);
    }

    /// <summary>How an image's registry is spoken to; of two caps the lower one holds.</summary>
    internal static RegistryOptions RegistryFor(RegistryOptions usual, PrepullTerms terms)
    {
        var (rate, most) = (terms.BytesPerSecond, usual.MaxBytesPerSecond);
        return usual with
        {
            MaxBytesPerSecond = rate is null || most is null ? rate ?? most : Math.Min(rate.Value, most.Value),
            CredentialsFile = terms.Credentials ?? usual.CredentialsFile,
        };
    }

    private PullRequest Request() => new()
    {
        Reference = entry.Name, Snapshotter = entry.Terms.Snapshotter, KeepFree = entry.Terms.KeepFree, PlainHttp = entry.Terms.PlainHttp,
    };
}
