using System.CommandLine;
using System.Globalization;
using ImageStore.Cli.Output;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Leases;
using ImageStore.Store.Metadata;
using ImageStore.Store.Oci;

namespace ImageStore.Cli.Commands;

/// <summary><c>lease create|ls|add|rm</c>.</summary>
internal static class LeaseCommand
{
    private const long MaxDays = 36525;

    public static Command Build() =>
        new("lease", "Keep things from being collected for a while.") { Create(), List(), Add(), Remove() };

    private static Verb Create()
    {
        var id = new Argument<string?>("ID") { Description = "Its name; one is made up when left out", Arity = ArgumentArity.ZeroOrOne };
        var expires = new Option<TimeSpan?>("--expires")
        {
            Description = "How long it lives, such as 90m, 24h or 7d; for ever when left out",
            HelpName = "TIME",
            CustomParser = result => Lifetime(result.Tokens[0].Value, result.AddError),
        };
        var labels = new Option<string[]>("--label") { Description = "A label, KEY=VALUE; may be given again", HelpName = "KEY=VALUE" };
        var command = new Verb(
            "create",
            "Make a lease, and show its id.",
            "imagestore lease create --expires 24h",
            "imagestore lease create airgap --label team=a")
        {
            id, expires, labels,
        };
        Session.BindToChanges(command, async (session, root, token) =>
        {
            var lease = await root.CreateLeaseAsync(
                session.Optional(id) ?? $"lease-{Guid.NewGuid():N}",
                session.Value(expires),
                KeyValues.Parse(session.Value(labels)),
                token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(lease, Json.Default.Lease);
                return;
            }

            Console.Out.WriteLine(lease.Id);
        }, makeNamespace: true);
        return command;
    }

    private static Verb List()
    {
        var command = new Verb("ls", "List the leases of the namespace and what they keep.", "imagestore lease ls");
        Session.Bind(command, MetadataAccess.ReadOnly, (session, engine, _) =>
        {
            var leases = engine.Leases.List().Select(lease => new LeaseListing(lease, engine.Leases.Resources(lease.Id))).ToList();
            if (session.Json)
            {
                Json.Write(leases, Json.Default.IReadOnlyListLeaseListing);
                return Task.CompletedTask;
            }

            Table.Write(
                Console.Out,
                ["ID", "CREATED", "EXPIRES", "RESOURCES"],
                leases.Select(one => (string[])[
                    Printable.Of(one.Lease.Id),
                    Sizes.Of(one.Lease.CreatedAt),
                    Printable.Of(one.Lease.Labels.GetValueOrDefault(Labels.Expire) ?? "-"),
                    one.Resources.Count.ToString(CultureInfo.InvariantCulture)]));
            return Task.CompletedTask;
        });
        return command;
    }

    private static Verb Add()
    {
        var id = new Argument<string>("ID") { Description = "The lease" };
        var resources = new Argument<string[]>("RESOURCE")
        {
            Description = "TYPE:NAME, such as content:sha256:…, images:NAME, ingests:REF or snapshots/overlayfs:NAME",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Verb(
            "add",
            "Have a lease keep more.",
            "imagestore lease add airgap content:sha256:…")
        {
            id, resources,
        };
        Session.BindToChanges(command, async (session, root, token) =>
        {
            var lease = (await root.LeasesAsync(token).ConfigureAwait(false)).FirstOrDefault(one => one.Id == session.Value(id))
                ?? throw new ImageStoreException(
                    ErrorKind.NotFound, $"There is no lease {Printable.Of(session.Value(id))}.", "'imagestore lease ls' shows what is there.");
            var all = session.Value(resources).Select(text => (Text: text, Resource: Parse(text))).ToList();
            await Results.EachAsync(
                session, all, one => one.Text, one => root.KeepAsync(lease, one.Resource, token)).ConfigureAwait(false);
        });
        return command;
    }

    private static Verb Remove()
    {
        var ids = new Argument<string[]>("ID") { Description = "The leases", Arity = ArgumentArity.OneOrMore };
        var command = new Verb("rm", "End leases. What only they kept goes with the next 'imagestore gc'.", "imagestore lease rm airgap") { ids };
        Session.BindToChanges(command, async (session, root, token) =>
        {
            var there = (await root.LeasesAsync(token).ConfigureAwait(false)).Select(lease => lease.Id).ToHashSet(StringComparer.Ordinal);
            if (session.Value(ids).FirstOrDefault(id => !there.Contains(id)) is { } missing)
            {
                throw new ImageStoreException(
                    ErrorKind.NotFound, $"There is no lease {Printable.Of(missing)}.", "'imagestore lease ls' shows what is there.");
            }

            await Results.EachAsync(
                session, session.Value(ids).Distinct(), id => id, id => root.EndLeaseAsync(id, token)).ConfigureAwait(false);
        });
        return command;
    }

    private static LeaseResource Parse(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var type = colon < 0 ? text : text[..colon];
        return colon > 0 && colon < text.Length - 1
            && (type != "content" || Digest.TryParse(text[(colon + 1)..], out _))
            && (type is "content" or "images" or "ingests" || (type.StartsWith("snapshots/", StringComparison.Ordinal) && type.Length > "snapshots/".Length))
            ? new LeaseResource(type, text[(colon + 1)..])
            : throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"'{Printable.Of(text)}' is not a resource.",
                "Write content:DIGEST, images:NAME, ingests:REF or snapshots/SNAPSHOTTER:NAME.");
    }

    private static TimeSpan? Lifetime(string text, Action<string> refuse)
    {
        var unit = text[^1..] switch { "s" => 1, "m" => 60, "h" => 3600, "d" => 86400, _ => 0 };
        if (unit > 0 && long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0 && count <= MaxDays * 86400L / unit)
        {
            return TimeSpan.FromSeconds(count * unit);
        }

        refuse($"'{Printable.Of(text)}' is no time such as 90m, 24h or 7d.");
        return null;
    }
}
