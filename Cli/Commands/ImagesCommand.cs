using System.CommandLine;
using ImageStore.Cli.Output;
using ImageStore.Engine;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli.Commands;

/// <summary><c>images ls|inspect|tag|rm</c>.</summary>
internal static class ImagesCommand
{
    public static Command Build() =>
        new("images", "List, inspect, tag and remove images.") { List(), Inspect(), Tag(), Remove() };

    private static Command List()
    {
        var command = new Command("ls", """
            List the images of the namespace.

            Examples:
              imagestore images ls
              imagestore --format json images ls
            """);
        Session.Bind(command, MetadataAccess.ReadOnly, (session, engine, _) =>
        {
            var images = engine.Images.List();
            if (session.Json)
            {
                Json.Write(images, Json.Default.IReadOnlyListImageRecord);
                return Task.CompletedTask;
            }

            Table.Write(
                Console.Out,
                ["NAME", "DIGEST", "TYPE", "UPDATED"],
                images.Select(image => (string[])[
                    Printable.Of(image.Name),
                    image.Target.Digest.ToString(),
                    Printable.Of(image.Target.MediaType),
                    Sizes.Of(image.UpdatedAt)]));
            return Task.CompletedTask;
        });
        return command;
    }

    private static Command Inspect()
    {
        var reference = new Argument<string>("REF") { Description = "The image" };
        var command = new Command("inspect", """
            Show what the store has of an image.

            Examples:
              imagestore images inspect alpine
            """)
        {
            reference,
        };
        Session.Bind(command, MetadataAccess.ReadOnly, async (session, engine, token) =>
        {
            var details = await engine.InspectAsync(session.Value(reference), token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(details, Json.Default.ImageDetails);
                return;
            }

            Console.Out.WriteLine($"{Printable.Of(details.Image.Name)}\n  {details.Image.Target.Digest}");
            foreach (var manifest in details.Manifests)
            {
                Write(manifest);
            }
        });
        return command;
    }

    private static void Write(ManifestDetails manifest)
    {
        Console.Out.WriteLine(
            $"  {Printable.Of(manifest.Platform ?? "no platform")}  {manifest.Descriptor.Digest}{(manifest.Complete ? string.Empty : "  incomplete")}");
        foreach (var layer in manifest.Layers)
        {
            Console.Out.WriteLine($"    {layer.Digest}  {Sizes.Of(layer.Size)}  {Printable.Of(layer.MediaType)}");
        }
    }

    private static Command Tag()
    {
        var source = new Argument<string>("SOURCE") { Description = "An image that is there" };
        var target = new Argument<string>("TARGET") { Description = "Its further name" };
        var command = new Command("tag", """
            Give an image a further name.

            Examples:
              imagestore images tag alpine example.com/base:1
            """)
        {
            source, target,
        };
        Session.Bind(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
            Console.Out.WriteLine(
                await engine.TagAsync(session.Value(source), session.Value(target), token).ConfigureAwait(false)));
        return command;
    }

    private static Command Remove()
    {
        var references = new Argument<string[]>("REF") { Description = "The images", Arity = ArgumentArity.OneOrMore };
        var command = new Command("rm", """
            Forget images by name. Their blobs and snapshots stay until they are removed or collected.

            Examples:
              imagestore images rm alpine debian:12
            """)
        {
            references,
        };
        Session.Bind(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            // All are looked up before the first goes, so that a slip in one name removes nothing.
            var names = session.Value(references).Select(reference => engine.FindImage(reference).Name).Distinct().ToList();
            foreach (var name in names)
            {
                await engine.Images.RemoveAsync(name, token).ConfigureAwait(false);
                Console.Out.WriteLine(Printable.Of(name));
            }
        });
        return command;
    }
}
