using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using ImageStore.Snapshotters.Snapshots;

namespace ImageStore.Cli;

/// <summary>Lets a command that removes images return before all their files are gone: a process of its own deletes the rest.</summary>
internal static class Removal
{
    /// <summary>The hidden verb of that process.</summary>
    public const string Verb = "delete-removed-trees";

    /// <summary>What a command deletes itself takes no longer than to start a process does.</summary>
    private const long InlineEntries = 100;

    public static Option<bool> Sync() => new("--sync") { Description = "Wait until the files of large snapshots are gone, too" };

    public static RemovalBudget Budget(bool sync) => sync ? RemovalBudget.Unlimited : new RemovalBudget(InlineEntries);

    /// <summary>Sees to what is left, also by a command that was interrupted; a process is worth it only for what is large.</summary>
    public static void GoOn(Session session, string root, RemovalBudget budget, CancellationToken cancellationToken)
    {
        RemovedTrees.Delete(root, budget, cancellationToken);
        if (!RemovedTrees.Any(root))
        {
            return;
        }

        try
        {
            // Pipes that nobody holds once this process ends: whoever waits for our output must not wait for that process.
            using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["--root", root, Verb])
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            });
            if (!session.Quiet)
            {
                Console.Error.WriteLine("the rest of its files is being deleted in the background; --sync waits for that");
            }
        }
        catch (Win32Exception)
        {
            RemovedTrees.Delete(root, RemovalBudget.Unlimited, cancellationToken);
        }
    }
}
