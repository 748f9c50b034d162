using System.CommandLine;
using ImageStore.Cli.Completion;
using ImageStore.Cli.Output;
using ImageStore.Distribution.Archives;
using ImageStore.Distribution.Transfer;
using ImageStore.Engine;
using ImageStore.Engine.Transfer;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli.Commands;

/// <summary><c>import FILE</c> and <c>export FILE REF…</c>.</summary>
internal static class ArchiveVerbs
{
    public static Command Import()
    {
        var file = new Argument<string>("FILE") { Description = "A tar, plain or compressed, a folder in the OCI layout, or - for standard input" };
        var image = new Option<string>("--image") { Description = "Only this image of several, by its name or digest", HelpName = "NAME" };
        var name = new Option<string>("--name") { Description = "The name that the image gets, instead of its own", HelpName = "REF" };
        var what = new CopyOptionsOnCommand();
        var command = new Verb(
            "import",
            "Bring the images of an archive into the store: an OCI layout, or what 'docker save' wrote.",
            "imagestore import images.tar",
            "docker save app:1 | imagestore import -",
            "imagestore import --name registry.example.com/app:1 layout-folder")
        {
            file, image, name,
        };
        what.AddTo(command, dryRun: false);
        Session.Bind(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            var archive = await OpenAsync(session.Value(file), token).ConfigureAwait(false);
            await using var closing = archive.ConfigureAwait(false);
            var options = what.Of(session, onePlatform: false) with { Referrers = true };
            var images = await ProgressLines.WhileAsync(session, progress => ArchiveImport.RunAsync(
                engine, archive, session.Value(image), session.Value(name), options, progress, token)).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(images, Json.Default.IReadOnlyListNamedImage);
                return;
            }

            foreach (var one in images)
            {
                Console.Out.WriteLine($"{Printable.Of(one.Name!)}  {one.Target.Digest}");
            }
        });
        return command;
    }

    public static Command Export()
    {
        var file = new Argument<string>("FILE") { Description = "Where to, or - for standard output; .gz and .zst compress" };
        var references = new Argument<string[]>("REF")
        {
            Description = "Images of the store", Arity = ArgumentArity.OneOrMore, CompletionSources = { DynamicValues.Images },
        };
        var docker = new Option<bool>("--docker") { Description = "As 'docker save' writes it, for the oldest readers: one platform an image" };
        var what = new CopyOptionsOnCommand();
        var command = new Verb(
            "export",
            "Write images of the store into one archive, which docker, podman, skopeo, umoci and ctr read.",
            "imagestore export images.tar alpine debian:12",
            "imagestore export - alpine | ssh other imagestore import -")
        {
            file, references, docker,
        };
        what.AddTo(command, dryRun: false);
        Session.Bind(command, MetadataAccess.ReadOnly, async (session, engine, token) =>
        {
            var images = session.Value(references).Select(engine.FindImage).DistinctBy(found => found.Name).ToList();
            var options = what.Of(session, onePlatform: session.Value(docker));
            var place = new Place(session.Value(docker) ? PlaceKind.DockerArchive : PlaceKind.OciArchive, session.Value(file), string.Empty);
            await ExportAsync(session, engine, [.. images.Select(found => found.Name)], place, options, token).ConfigureAwait(false);
            if (!place.IsStandardStream)
            {
                Results.Write(session, [.. images.Select(found => found.Name)]);
            }
        });
        return command;
    }

    private static async Task<bool> ExportAsync(
        Session session, StoreEngine engine, IReadOnlyList<string> names, Place place, CopyOptions options, CancellationToken cancellationToken) =>
        await ProgressLines.WhileAsync(session, async progress =>
        {
            var source = engine.AsSource();
            await using var reading = source.ConfigureAwait(false);
            var registry = RegistryClients.Make(session, plainHttp: false);
            await using var closing = registry.ConfigureAwait(false);
            var target = await Places.Opener(registry, engine).TargetAsync(place, cancellationToken).ConfigureAwait(false);
            await using var writing = target.ConfigureAwait(false);
            foreach (var name in names)
            {
                var found = engine.FindImage(name).Target;
                // What was pulled for one platform has an index of many: it is kept, and what is not here is left out.
                var chosen = options.Platforms is null ? options with { Sparse = true } : options;
                await new ImageCopier(source, target, chosen, new BlobLocations())
                    .CopyAsync(found, name, progress, cancellationToken).ConfigureAwait(false);
            }

            await target.CompleteAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }).ConfigureAwait(false);

    private static async Task<IImageCollection> OpenAsync(string file, CancellationToken cancellationToken) =>
        Directory.Exists(file)
            ? OciLayoutSource.OpenFolder(file)
            : await ImageArchive.OpenAsync(file, file == "-" ? Console.OpenStandardInput() : null, cancellationToken).ConfigureAwait(false);
}
