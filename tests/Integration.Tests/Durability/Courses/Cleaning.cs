using ImageStore.Integration.Tests.Durability.Checks;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>Brings a root to what facts alone say, so that roots with different pasts can be compared.</summary>
internal static class Cleaning
{
    /// <summary>Ends the leases that dead commands left to expire, collects, and looks again.</summary>
    public static async Task<StoreView> CollectAsync(StoreCli cli, StoreView view, CancellationToken cancellationToken)
    {
        foreach (var ns in StoreView.Namespaces)
        {
            var left = view.Leases.Keys.Where(key => key.StartsWith(ns + " ", StringComparison.Ordinal))
                .Select(key => key[(ns.Length + 1)..]).Where(WorkingLease.Is).ToList();
            if (left.Count > 0)
            {
                await OkAsync(cli, ns, ["lease", "rm", .. left]);
            }
        }

        await OkAsync(cli, StoreView.Namespaces[0], ["gc"]);
        return await StoreView.ReadAsync(cli, cancellationToken);
    }

    /// <summary>Runs a command that has to succeed.</summary>
    public static async Task OkAsync(StoreCli cli, string ns, IReadOnlyList<string> arguments)
    {
        var result = await cli.TryAsync(ns, arguments);
        if (result.ExitCode != 0)
        {
            throw new CommandException($"'{string.Join(' ', arguments)}' in {ns} ended with {result.ExitCode}: {result.Error.Trim()}");
        }
    }
}
