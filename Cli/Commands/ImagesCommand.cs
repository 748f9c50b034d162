using System.CommandLine;
using ImageStore.Cli.Completion;
using ImageStore.Cli.Output;
using ImageStore.Engine;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Oci;

namespace ImageStore.Cli.Commands;

/// <summary><c>images ls|inspect|tag|rm</c>.</summary>
internal static class ImagesCommand
{
    private const int ShortDigest = 12;
    private const int MaxPlatformsShown = 3;

    public static Command Build() =>
        new("images", "List, inspect, tag and remove images.") { List(), Inspect(), Tag(), Remove() };

    private static Verb List()
    {
        var command = new Verb(
            "ls",
            "List the images of the namespace.",
            "imagestore images ls",
            "imagestore --format json images ls");
        Session.Bind(command, MetadataAccess.ReadOnly, async (session, engine, token) =>
        {
            var images = await engine.ListImagesAsync(token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(images, Json.Default.IReadOnlyListImageListing);
                return;
            }

            var now = TimeProvider.System.GetUtcNow();

            Table.Write(
                Console.Out,
                ["NAME", "DIGEST", "PLATFORMS", "SIZE", "AGE"],
                images.Select(image => (string[])[
                    Printable.Of(image.Name),
                    Short(image.Target.Digest),
                    Platforms(image.Platforms),
                    Sizes.Of(image.Size),
                    Sizes.Age(now - image.UpdatedAt)]));
        });
        return command;
    }

    private static string Short(Digest digest) => digest.Hex[..ShortDigest];

    private static string Platforms(IReadOnlyList<string> all) => all.Count switch
    {
        0 => "-",
        <= MaxPlatformsShown => Printable.Of(string.Join(',', all)),
        _ => Printable.Of(string.Join(',', all.Take(MaxPlatformsShown))) + $",+{all.Count - MaxPlatformsShown}",
    };

    private static Verb Inspect()
    {
        var reference = new Argument<string>("REF") { Description = "The image", CompletionSources = { DynamicValues.Images } };
        var command = new Verb(
            "inspect",
            "Show what the store has of an image.",
            "imagestore images inspect alpine")
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

    private static Verb Tag()
    {
        var source = new Argument<string>("SOURCE") { Description = "An image that is there", CompletionSources = { DynamicValues.Images } };
        var target = new Argument<string>("TARGET") { Description = "Its further name" };
        var command = new Verb(
            "tag",
            "Give an image a further name.",
            "imagestore images tag alpine example.com/base:1")
        {
            source, target,
        };
        Session.Bind(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            var name = await engine.TagAsync(session.Value(source), session.Value(target), token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(engine.FindImage(name), Json.Default.ImageRecord);
                return;
            }

            Console.Out.WriteLine(Printable.Of(name));
        });
        return command;
    }

    private static Verb Remove()
    {
        var references = new Argument<string[]>("REF")
        {
            Description = "The images", Arity = ArgumentArity.OneOrMore, CompletionSources = { DynamicValues.Images },
        };
        var command = new Verb(
            "rm",
            "Forget images by name. Their blobs and snapshots stay until they are removed or collected.",
            "imagestore images rm alpine debian:12")
        {
            references,
        };
        Session.Bind(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            // All are looked up before the first goes, so that a slip in one name removes nothing.
            var names = session.Value(references).Select(reference => engine.FindImage(reference).Name).Distinct().ToList();
            await Results.EachAsync(
                session, names, name => name, name => engine.Images.RemoveAsync(name, token)).ConfigureAwait(false);
        });
        return command;
    }
}
