using System.CommandLine;

namespace ImageStore.Cli.Commands;

/// <summary>Makes the option that says which snapshotter.</summary>
internal static class SnapshotterOption
{
    public static Option<string> Make(string description = "overlayfs or native; else what the filesystem can do")
    {
        var option = new Option<string>("--snapshotter") { Description = description, HelpName = "NAME" };
        option.CompletionSources.Add("overlayfs", "native");
        return option;
    }
}
