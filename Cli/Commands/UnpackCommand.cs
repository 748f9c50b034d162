using System.CommandLine;
using ImageStore.Cli.Completion;
using ImageStore.Cli.Output;
using ImageStore.Store.Metadata;
using ImageStore.Store.Oci;

namespace ImageStore.Cli.Commands;

/// <summary><c>unpack REF</c>.</summary>
internal static class UnpackCommand
{
    public static Command Build()
    {
        var reference = new Argument<string>("REF") { Description = "An image that is there", CompletionSources = { DynamicValues.Images } };
        var platform = new Option<string>("--platform") { Description = "The platform to take out of an index" };
        var snapshotter = SnapshotterOption.Make();
        var command = new Verb(
            "unpack",
            "Unpack an image that was pulled with --no-unpack, or into a second snapshotter.",
            "imagestore unpack --snapshotter native alpine")
        {
            reference, platform, snapshotter,
        };
        Session.Bind(command, MetadataAccess.ReadWrite, async (session, engine, token) =>
        {
            var wanted = session.Value(platform) is { } text ? Platform.Parse(text) : null;
            var (name, chainId) = await ProgressLines.WhileAsync(session, progress => engine.UnpackAsync(
                session.Value(reference), session.Value(snapshotter), wanted, progress, token)).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(new UnpackOutcome(name, chainId.ToString()), Json.Default.UnpackOutcome);
                return;
            }

            Console.Out.WriteLine($"{chainId} ({name})");
        });
        return command;
    }
}
