using System.CommandLine;
using ImageStore.Cli.Output;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer;
using ImageStore.Engine.Transfer;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli.Commands;

/// <summary><c>copy SRC DST</c>.</summary>
internal static class CopyCommand
{
    public static Command Build()
    {
        var source = new Argument<string>("SRC")
        {
            Description = "A reference, oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:REF] or store:REF",
        };
        var target = new Argument<string>("DST") { Description = "The same; an archive's FILE may be - for standard output" };
        var plain = PlainHttpOption.Make();
        var what = new CopyOptionsOnCommand();
        var command = new Verb(
            "copy",
            "Copy an image from one place to another: byte for byte, with all its platforms, streaming.",
            "imagestore copy alpine registry.example.com/base/alpine:3",
            "imagestore copy --platform linux/arm64 debian:12 oci:images:debian",
            "imagestore copy --referrers registry.example.com/app:1 oci-archive:app.tar",
            "imagestore copy docker-archive:saved.tar 127.0.0.1:5000/app:1")
        {
            source, target, plain,
        };
        what.AddTo(command, dryRun: true);
        Session.Bind(command, async (session, token) =>
        {
            var (from, to) = (Place.Parse(session.Value(source)), Place.Parse(session.Value(target)));
            var options = what.Of(session, onePlatform: to.Kind == PlaceKind.DockerArchive);
            var registry = RegistryClients.Make(session, session.Value(plain));
            await using var closing = registry.ConfigureAwait(false);
            if (from.Kind == PlaceKind.Store || to.Kind == PlaceKind.Store)
            {
                var access = to.Kind == PlaceKind.Store && !options.DryRun ? MetadataAccess.ReadWrite : MetadataAccess.ReadOnly;
                await session.WithEngineAsync(
                    access,
                    (_, engine, stop) => RunAsync(session, Places.Opener(registry, engine), from, to, options, stop),
                    token).ConfigureAwait(false);
                return;
            }

            await RunAsync(session, Places.Opener(registry, null), from, to, options, token).ConfigureAwait(false);
        });
        return command;
    }

    /// <summary>Copies and tells.</summary>
    public static async Task RunAsync(
        Session session, PlaceOpener places, Place from, Place to, CopyOptions options, CancellationToken cancellationToken)
    {
        var result = await ProgressLines.WhileAsync(session, async progress =>
        {
            var source = await places.SourceAsync(from, cancellationToken).ConfigureAwait(false);
            await using var readFrom = source.ConfigureAwait(false);
            var root = await source.FindAsync(PlaceOpener.SourceName(from), cancellationToken).ConfigureAwait(false)
                ?? throw new ImageStoreException(
                    ErrorKind.NotFound, $"{Printable.Of(from.ToString())} is not there.", "Check the spelling of name and tag.");
            var target = await places.TargetAsync(to, cancellationToken).ConfigureAwait(false);
            await using var writtenTo = target.ConfigureAwait(false);
            var chosen = options is { Platforms: null, Sparse: false }
                ? options with { Platforms = await HeldParts.PlatformsAsync(source, root, cancellationToken).ConfigureAwait(false) }
                : options;
            var copied = await new ImageCopier(source, target, chosen, new BlobLocations())
                .CopyAsync(root, PlaceOpener.TargetName(to, from), progress, cancellationToken).ConfigureAwait(false);
            CheckDigest(to, copied.Target.Digest);
            if (!options.DryRun)
            {
                await target.CompleteAsync(cancellationToken).ConfigureAwait(false);
            }

            return copied;
        }).ConfigureAwait(false);
        CopyReport.Tell(session, from, to, result, options.DryRun);
    }

    private static void CheckDigest(Place to, Store.Oci.Digest digest)
    {
        if (to.Kind == PlaceKind.Registry && ImageReference.Parse(to.Name).Digest is { } wanted && wanted != digest)
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"The image has the digest {digest}, not {wanted} as the target says.",
                "Give the target a tag, or the digest that the source has.");
        }
    }
}
