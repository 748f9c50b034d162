using System.CommandLine;
using ImageStore.Cli.Output;
using ImageStore.Distribution.Transfer.Mirroring;
using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Cli.Commands;

/// <summary><c>mirror -f mirror.yaml</c>.</summary>
internal static class MirrorCommand
{
    public static Command Build()
    {
        var file = new Option<string>("--file", "-f") { Description = "What to mirror, in YAML", HelpName = "FILE" };
        var from = new Option<string>("--from") { Description = "An archive or layout in place of registries: oci-archive:FILE or oci:DIR", HelpName = "PLACE" };
        var to = new Option<string>("--to") { Description = "HOST[/PATH], oci:DIR or oci-archive:FILE", HelpName = "PLACE" };
        var have = new Option<string[]>("--have")
        {
            Description = "Leave out of an archive what the far side has, by an earlier archive, an inventory or its registry; may be given again",
            HelpName = "WHAT",
        };
        var inventory = new Option<string>("--inventory") { Description = "Write what the target holds afterwards, for the other side's --have", HelpName = "FILE" };
        var lockFile = new Option<string>("--lock") { Description = "Take the digests that this file pins; it is made if it is not there", HelpName = "FILE" };
        var update = new Option<bool>("--update-lock") { Description = "Pin anew what the tags name now" };
        var state = new Option<string>("--state") { Description = "Remember in this file what was put at the target", HelpName = "FILE" };
        var prune = new Option<bool>("--prune") { Description = "Remove what an earlier run with the same --state put there and this one no longer chooses" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Tell images, bytes and free space, and copy nothing" };
        var report = new Option<string>("--report") { Description = "Write what was done to this file, as JSON", HelpName = "FILE" };
        var parallel = new Option<int>("--parallel") { Description = "Images at the same time", DefaultValueFactory = _ => new MirrorOptions().Parallel, HelpName = "N" };
        parallel.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 64)
            {
                result.AddError("--parallel takes 1 to 64.");
            }
        });
        var plain = PlainHttpOption.Make();
        var command = new Verb(
            "mirror",
            "Copy a set of repositories from registry to registry, into an archive or layout, and from there to a registry.",
            "imagestore mirror -f mirror.yaml --to registry.example.com/mirror",
            "imagestore mirror -f mirror.yaml --to oci-archive:week2.tar --have week1.tar",
            "imagestore mirror --from oci-archive:week2.tar --to registry.inside:5000/mirror",
            "imagestore mirror -f mirror.yaml --dry-run")
        {
            file, from, to, have, inventory, lockFile, update, state, prune, dryRun, report, parallel, plain,
        };
        Session.Bind(command, async (session, token) =>
        {
            var config = session.Value(file) is { } path ? MirrorFile.Read(path) : new MirrorConfig();
            var options = new MirrorOptions
            {
                From = session.Value(from), To = session.Value(to), Have = session.Value(have) ?? [], Inventory = session.Value(inventory),
                LockFile = session.Value(lockFile), UpdateLock = session.Value(update), StateFile = session.Value(state),
                Prune = session.Value(prune), DryRun = session.Value(dryRun), Parallel = session.Value(parallel),
            };
            var registry = RegistryClients.Make(session, session.Value(plain));
            await using var closing = registry.ConfigureAwait(false);
            var lines = new MirrorLines(session, options);
            var done = await new MirrorRun(registry, config, options, Console.OpenStandardInput, static () => new StandardOutput())
                .RunAsync(lines.Tell, token).ConfigureAwait(false);
            if (session.Value(report) is { } reportFile)
            {
                WholeFile.Write(reportFile, Json.Bytes(done, Json.Default.MirrorReport), WholeFile.Public);
            }

            lines.Summarize(done);
            ThrowIfIncomplete(done);
        });
        return command;
    }

    private static void ThrowIfIncomplete(MirrorReport done)
    {
        var failures = done.Images.Where(image => image.Status == MirrorStatus.Failed).ToList();
        if (failures.Count > 0)
        {
            throw new ImageStoreException(
                failures[0].Kind ?? ErrorKind.Unavailable,
                $"{failures.Count} of {done.Images.Count} failed; the rest is done.",
                "Each one's reason is above; a repeat does only what is missing.");
        }

        if (done.DryRun && !done.Fits)
        {
            throw new ImageStoreException(
                ErrorKind.NoSpace,
                $"{Sizes.Of(done.BytesToMove)} are to be written, and {Sizes.Of(done.FreeBytes!.Value)} are free there.",
                "Free space, choose another place, or mirror less.");
        }
    }
}
