using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using ImageStore.Snapshotters.Snapshots;

namespace ImageStore.Cli.Commands;

/// <summary>The process that <see cref="Removal"/> leaves behind.</summary>
internal static partial class RemovedTreesCommand
{
    public static Command Build()
    {
        var command = new Command(Removal.Verb, "Delete the files of snapshots that are removed already.") { Hidden = true };
        Session.Bind(command, (session, token) =>
        {
            // Away from the terminal, whose Ctrl-C and end are for what the user runs.
            _ = SetSession();
            using var self = Process.GetCurrentProcess();
            self.PriorityClass = ProcessPriorityClass.BelowNormal;
            RemovedTrees.Delete(session.EngineOptions().Root, RemovalBudget.Unlimited, token);
            return Task.CompletedTask;
        });
        return command;
    }

    [LibraryImport("libc", EntryPoint = "setsid")]
    private static partial int SetSession();
}
