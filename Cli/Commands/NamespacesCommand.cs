using System.CommandLine;
using System.Globalization;
using ImageStore.Cli.Completion;
using ImageStore.Cli.Output;
using ImageStore.Cli.Root;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Namespaces;

namespace ImageStore.Cli.Commands;

/// <summary><c>namespaces create|ls|label|quota|rm</c>.</summary>
internal static class NamespacesCommand
{
    private const string NoLimit = "none";

    public static Command Build()
    {
        var command = new Command("namespaces", "Make, limit and remove namespaces: what a tenant has is in one, and nobody else sees it.")
        {
            Create(), List(), Label(), Quota(), Remove(),
        };
        command.Aliases.Add("namespace");
        command.Aliases.Add("ns");
        return command;
    }

    private static Verb Create()
    {
        var name = new Argument<string>("NS") { Description = "Its name: letters, digits, '-', '_' and '.'" };
        var labels = KeyValues.Argument();
        var (bytes, images) = (Bytes(), Images());
        var command = new Verb(
            "create",
            "Make a namespace. Using one makes it too; this gives it labels and limits from the start.",
            "imagestore namespaces create team-a owner=alice",
            "imagestore namespaces create team-b --bytes 20G --images 50")
        {
            name, labels, bytes, images,
        };
        Session.BindToChanges(command, async (session, root, token) =>
        {
            var all = KeyValues.Parse(session.Value(labels));
            var quota = Change(session.Value(bytes), session.Value(images)).Apply(NamespaceQuota.None);
            Write(session, await root.CreateNamespaceAsync(session.Value(name), all, quota, token).ConfigureAwait(false));
        });
        return command;
    }

    private static Verb List()
    {
        var command = new Verb("ls", "List the namespaces, with their limits and labels.", "imagestore namespaces ls");
        Session.BindToExisting(command, MetadataAccess.ReadOnly, (session, engine, _) =>
        {
            var all = engine.Namespaces.List();
            if (session.Json)
            {
                Json.Write(all, Json.Default.IReadOnlyListNamespaceRecord);
                return Task.CompletedTask;
            }

            Table.Write(
                Console.Out,
                ["NAME", "BYTES", "IMAGES", "CREATED", "LABELS"],
                all.Select(ns => (string[])[
                    ns.Name,
                    ns.Quota.Bytes is { } bytes ? Sizes.Of(bytes) : "-",
                    ns.Quota.Images?.ToString(CultureInfo.InvariantCulture) ?? "-",
                    Sizes.Of(ns.CreatedAt),
                    Printable.Of(string.Join(',', ns.Labels.Select(label => $"{label.Key}={label.Value}")))]));
            return Task.CompletedTask;
        });
        return command;
    }

    private static Verb Label()
    {
        var name = Existing();
        var labels = KeyValues.Argument();
        labels.Arity = ArgumentArity.OneOrMore;
        var command = new Verb(
            "label",
            "Set labels of a namespace; an empty value removes one.",
            $"imagestore namespaces label team-a {NamespaceRecord.DefaultSnapshotterLabel}=native",
            $"imagestore namespaces label base {NamespaceRecord.ShareableLabel}=true",
            "imagestore namespaces label team-a owner=")
        {
            name, labels,
        };
        Session.BindToChanges(command, async (session, root, token) => Write(
            session,
            await root.LabelNamespaceAsync(session.Value(name), KeyValues.Parse(session.Value(labels)), token).ConfigureAwait(false)));
        return command;
    }

    private static Verb Quota()
    {
        var name = Existing();
        var (bytes, images) = (Bytes(), Images());
        var command = new Verb(
            "quota",
            "Limit what a namespace holds. What is left out stays as it is, and 'none' takes a limit away.",
            "imagestore namespaces quota team-a --bytes 20G",
            "imagestore namespaces quota team-a --bytes none --images 100")
        {
            name, bytes, images,
        };
        Session.BindToChanges(command, async (session, root, token) => Write(
            session,
            await root.LimitNamespaceAsync(session.Value(name), Change(session.Value(bytes), session.Value(images)), token).ConfigureAwait(false)));
        return command;
    }

    private static Verb Remove()
    {
        var names = new Argument<string[]>("NS")
        {
            Description = "The namespaces", Arity = ArgumentArity.OneOrMore, CompletionSources = { DynamicValues.Namespaces },
        };
        var purge = new Option<bool>("--purge") { Description = "With all that is in them: images, blobs, snapshots, leases, downloads" };
        var command = new Verb(
            "rm",
            "Remove namespaces that have nothing, or with --purge all that they have.",
            "imagestore namespaces rm team-a",
            "imagestore namespaces rm --purge team-b")
        {
            names, purge,
        };
        Session.BindToChanges(command, async (session, root, token) => await Results.EachAsync(
            session, session.Value(names).Distinct(), name => name, name => RemoveAsync(session, root, name, session.Value(purge), token))
            .ConfigureAwait(false));
        return command;
    }

    private static async Task RemoveAsync(Session session, IRootChanges root, string name, bool purge, CancellationToken cancellationToken)
    {
        if (!purge)
        {
            await root.RemoveNamespaceAsync(name, cancellationToken).ConfigureAwait(false);
            return;
        }

        var report = await root.PurgeNamespaceAsync(name, cancellationToken).ConfigureAwait(false);
        if (session is { Json: false, Quiet: false })
        {
            CollectionLines.Write(Console.Error, report);
        }
    }

    private static Argument<string> Existing() => new("NS") { Description = "The namespace", CompletionSources = { DynamicValues.Namespaces } };

    private static Option<string> Bytes() => new("--bytes")
    {
        Description = "The most bytes of blobs, downloads and unpacked layers, such as 20G", HelpName = "SIZE",
    };

    private static Option<string> Images() => new("--images") { Description = "The most images", HelpName = "COUNT" };

    private static QuotaChange Change(string? bytes, string? images) => new(bytes is not null, Limit(bytes), images is not null, Count(images));

    private static long? Limit(string? text) => text is null or NoLimit ? null : ByteRate.Parse(text);

    private static int? Count(string? text) => text is null or NoLimit ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count
        : throw new ImageStoreException(ErrorKind.InvalidArgument, $"'{Printable.Of(text)}' is no number of images.", "Write a number, or none.");

    private static void Write(Session session, NamespaceRecord record)
    {
        if (session.Json)
        {
            Json.Write(record, Json.Default.NamespaceRecord);
            return;
        }

        Console.Out.WriteLine(record.Name);
    }
}
