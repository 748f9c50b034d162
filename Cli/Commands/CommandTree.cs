using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using ImageStore.Cli.Output;

namespace ImageStore.Cli.Commands;

/// <summary>All verbs.</summary>
internal static class CommandTree
{
    public static RootCommand Build()
    {
        var root = new RootCommand("ImageStore keeps container images: pulls, copies, verifies, unpacks and mounts them, with no daemon.");
        foreach (var option in (Option[])[
            GlobalOptions.Root, GlobalOptions.Namespace, GlobalOptions.Config, GlobalOptions.Format, GlobalOptions.Quiet, GlobalOptions.Debug,
            GlobalOptions.LimitRate])
        {
            root.Options.Add(option);
        }

        foreach (var command in (Command[])[
            PullCommand.Build(), PushCommand.Build(), CopyCommand.Build(), MirrorCommand.Build(), PrepullCommand.Build(), JobsCommand.Build(),
            ArchiveVerbs.Import(), ArchiveVerbs.Export(),
            .. RegistryVerbs.Build(), LoginCommand.BuildLogin(), LoginCommand.BuildLogout(), ImagesCommand.Build(),
            ContentCommand.Build(), SnapshotsCommand.Build(), LeaseCommand.Build(), NamespacesCommand.Build(), DiskUsageCommand.Build(),
            GcCommand.Build(), WhyCommand.Build(), FsckCommand.Build(), MaintainCommand.Build(), MountCommand.BuildMount(),
            MountCommand.BuildUnmount(), BundleCommand.Build(), UnshareCommand.Build(), UnpackCommand.Build(), DiffCommand.Build(), CommitCommand.Build(),
            RebaseCommand.Build(), DaemonCommand.Build(), InfoCommand.Build(), ConfigCommand.Build(), HostsCommand.Build(),
            CompletionCommand.Build(), DemoCommand.Build(), RemovedTreesCommand.Build()])
        {
            root.Subcommands.Add(command);
        }

        // The usual one answers to /h and -? as well, which are a path and a pattern here.
        root.Options.Remove(root.Options.OfType<HelpOption>().Single());
        var shown = new HelpWithExamples(new HelpAction());
        root.Options.Add(new HelpOption("--help", "-h") { Action = shown });
        root.SetAction(shown.Invoke);
        RefuseEmpty(root);
        return root;
    }

    /// <summary>An empty word is a variable that was not set: no name, path or digest is empty. Words of somebody else's command may be.</summary>
    private static void RefuseEmpty(Command command)
    {
        foreach (var option in command.Options)
        {
            option.Validators.Add(result => Check(result, option.Name, result.Tokens));
        }

        foreach (var argument in command.Arguments.Where(argument => argument.Name != BundleCommand.Words))
        {
            argument.Validators.Add(result => Check(result, argument.Name, result.Tokens));
        }

        foreach (var child in command.Subcommands)
        {
            RefuseEmpty(child);
        }

        static void Check(SymbolResult result, string name, IReadOnlyList<Token> words)
        {
            if (words.Any(word => word.Value.Length == 0))
            {
                result.AddError($"{name} is empty.");
            }
        }
    }
}
