using System.CommandLine;
using ImageStore.Snapshotters.Snapshots;

namespace ImageStore.Cli.Commands;

/// <summary>Makes the option that says which snapshotter.</summary>
internal static class SnapshotterOption
{
    public static Option<string> Make(string description = "overlayfs, native or erofs; else what the filesystem can do")
    {
        var option = new Option<string>("--snapshotter") { Description = description, HelpName = "NAME" };
        option.CompletionSources.Add([.. SnapshotterFactory.Names]);
        return option;
    }
}
