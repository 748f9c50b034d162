using System.CommandLine;
using ImageStore.Cli.Completion;
using ImageStore.Cli.Output;
using ImageStore.Cli.Root;
using ImageStore.Engine;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Oci;

namespace ImageStore.Cli.Commands;

/// <summary><c>images ls|inspect|tag|pin|unpin|rm</c>.</summary>
internal static class ImagesCommand
{
    private const int ShortDigest = 12;
    private const int MaxPlatformsShown = 3;

    public static Command Build() =>
        new("images", "List, inspect, tag, pin and remove images.") { List(), Inspect(), Tag(), Pin(), Unpin(), Remove() };

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
        Session.BindToChanges(command, async (session, root, token) =>
        {
            var tagged = await root.TagAsync(session.Value(source), session.Value(target), token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(tagged, Json.Default.ImageRecord);
                return;
            }

            Console.Out.WriteLine(Printable.Of(tagged.Name));
        });
        return command;
    }

    private static Verb Pin() => Pinning(
        "pin", "Keep images: neither 'images rm' nor an expiry removes them.", "imagestore images pin registry.k8s.io/pause:3.10", pinned: true);

    private static Verb Unpin() => Pinning(
        "unpin", "Let images that were pinned be removed again.", "imagestore images unpin registry.k8s.io/pause:3.10", pinned: false);

    private static Verb Pinning(string name, string description, string example, bool pinned)
    {
        var references = Several();
        var command = new Verb(name, description, example) { references };
        Session.BindToChanges(command, async (session, root, token) =>
        {
            // All are looked up before the first is touched, so that a slip in one name changes nothing.
            var images = await root.FindImagesAsync(session.Value(references), token).ConfigureAwait(false);
            await Results.EachAsync(session, images, image => image.Name, image => root.PinAsync(image.Name, pinned, token)).ConfigureAwait(false);
        });
        return command;
    }

    private static Argument<string[]> Several() => new("REF")
    {
        Description = "The images", Arity = ArgumentArity.OneOrMore, CompletionSources = { DynamicValues.Images },
    };

    private static Verb Remove()
    {
        var references = Several();
        var keep = new Option<bool>("--no-gc") { Description = "Leave blobs and snapshots for a later 'imagestore gc'" };
        var sync = Removal.Sync();
        var command = new Verb(
            "rm",
            "Forget images by name, and remove what nothing refers to any more. Pinned ones stay.",
            "imagestore images rm alpine debian:12")
        {
            references, keep, sync,
        };
        Session.Bind(command, (session, cancellation) => session.RemovingAsync(
            session.Value(sync), (root, token) => RemoveAsync(session, root, session.Value(references), !session.Value(keep), token), cancellation));
        return command;
    }

    private static async Task RemoveAsync(
        Session session, IRootChanges root, string[] references, bool collect, CancellationToken cancellationToken)
    {
        var images = await root.FindImagesAsync(references, cancellationToken).ConfigureAwait(false);
        foreach (var image in images)
        {
            ImageNaming.RefusePinned(image);
        }

        await Results.EachAsync(
            session, images, image => image.Name, image => root.RemoveImageAsync(image, cancellationToken)).ConfigureAwait(false);
        if (collect)
        {
            var report = await root.CollectAsync(cancellationToken).ConfigureAwait(false);
            if (session is { Json: false, Quiet: false })
            {
                CollectionLines.Write(Console.Error, report);
            }
        }
    }
}
