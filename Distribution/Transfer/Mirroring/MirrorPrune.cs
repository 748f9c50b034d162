using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>Removes from a target what an earlier run put there, and nothing else.</summary>
internal sealed class MirrorPrune(RegistryClient registry, MirrorTarget target, MirrorOptions options)
{
    /// <summary>Removes the <paramref name="stale"/> names, unless somebody else has put another image under one of them.</summary>
    /// <param name="stale">Full names at the target, each with what was put there.</param>
    /// <param name="wanted">The names that stay.</param>
    /// <param name="told">Is told each outcome.</param>
    /// <param name="cancellationToken">Stops between two images.</param>
    public async Task<IReadOnlyList<MirrorOutcome>> RunAsync(
        IReadOnlyList<KeyValuePair<string, Digest>> stale, ISet<string> wanted, Action<MirrorOutcome> told, CancellationToken cancellationToken)
    {
        List<MirrorOutcome> outcomes = [];
        foreach (var (name, digest) in stale)
        {
            MirrorOutcome outcome;
            try
            {
                outcome = target.Layout is { } layout
                    ? FromLayout(layout, name, digest, await layout.FindAsync(name, cancellationToken).ConfigureAwait(false))
                    : await FromRegistryAsync(name, digest, wanted, cancellationToken).ConfigureAwait(false);
            }
            catch (ImageStoreException failure)
            {
                outcome = MirrorOutcome.Failed(string.Empty, name, failure);
            }

            outcomes.Add(outcome);
            told(outcome);
        }

        if (target.Layout is { } swept && !options.DryRun && outcomes.Any(outcome => outcome.Status == MirrorStatus.Pruned))
        {
            await swept.RemoveAsync(
                outcomes.Where(outcome => outcome.Status == MirrorStatus.Pruned).Select(outcome => outcome.Target!).ToHashSet(StringComparer.Ordinal),
                options.Time,
                cancellationToken).ConfigureAwait(false);
        }

        return outcomes;
    }

    /// <summary>Removes nothing, and says why.</summary>
    public static IReadOnlyList<MirrorOutcome> KeepAll(
        IReadOnlyList<KeyValuePair<string, Digest>> stale, string why, Action<MirrorOutcome> told)
    {
        List<MirrorOutcome> kept = [.. stale.Select(entry => Kept(entry.Key, why))];
        kept.ForEach(told);
        return kept;
    }

    private static MirrorOutcome FromLayout(Archives.OciLayoutTarget layout, string name, Digest digest, Descriptor? there) =>
        there is null || there.Digest == digest ? Pruned(name, digest) : Kept(name, $"it is another image now, {there.Digest}, in {layout.Name}");

    private async Task<MirrorOutcome> FromRegistryAsync(string name, Digest digest, ISet<string> wanted, CancellationToken cancellationToken)
    {
        var reference = ImageReference.Parse(name);
        if (target.Map(reference, reference.Repository) is not { } below || reference.Registry != below.Registry)
        {
            return Kept(name, "it belongs to another target");
        }

        var client = registry.Repository(reference);
        var there = new RepositoryTarget(client);
        await using var closing = there.ConfigureAwait(false);
        if (await there.FindAsync(reference.Identifier, cancellationToken).ConfigureAwait(false) is not { } found)
        {
            return Pruned(name, digest);
        }

        if (found.Digest != digest)
        {
            return Kept(name, $"somebody else has made it another image, {found.Digest}");
        }

        if (options.DryRun)
        {
            return Pruned(name, digest);
        }

        try
        {
            await client.DeleteAsync(reference.Identifier, cancellationToken).ConfigureAwait(false);
            return Pruned(name, digest);
        }
        catch (ImageStoreException failure) when (reference.Digest is null && failure.Kind is ErrorKind.Unsupported or ErrorKind.InvalidArgument)
        {
            // Many registries remove only digests, and with one all its tags.
            return await OtherTagAsync(client, reference, digest, wanted, cancellationToken).ConfigureAwait(false) is { } other
                ? Kept(name, $"the registry removes no single tag, and {other} is the same image")
                : await DeleteDigestAsync(client, name, digest, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<MirrorOutcome> DeleteDigestAsync(RepositoryClient client, string name, Digest digest, CancellationToken cancellationToken)
    {
        await client.DeleteAsync(digest.ToString(), cancellationToken).ConfigureAwait(false);
        return Pruned(name, digest);
    }

    private static async Task<string?> OtherTagAsync(
        RepositoryClient client, ImageReference reference, Digest digest, ISet<string> wanted, CancellationToken cancellationToken)
    {
        var tags = await client.ListTagsAsync(cancellationToken).ConfigureAwait(false);

        // Those that stay are the likeliest.
        foreach (var tag in tags.Where(tag => tag != reference.Tag)
            .OrderByDescending(tag => wanted.Contains($"{reference.RepositoryName}:{tag}")))
        {
            try
            {
                if ((await client.ResolveAsync(tag, cancellationToken).ConfigureAwait(false)).Digest == digest)
                {
                    return tag;
                }
            }
            catch (ImageStoreException failure) when (failure.Kind == ErrorKind.NotFound)
            {
                // It went in the meantime.
            }
        }

        return null;
    }

    private static MirrorOutcome Pruned(string name, Digest digest) => new(string.Empty, name, MirrorStatus.Pruned) { Digest = digest };

    private static MirrorOutcome Kept(string name, string why) => new(string.Empty, name, MirrorStatus.Kept) { Reason = why };
}
