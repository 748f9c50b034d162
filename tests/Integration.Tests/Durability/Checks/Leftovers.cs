using System.Globalization;

namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>What lies in a root after a collection although nothing keeps it.</summary>
internal static class Leftovers
{
    /// <summary>Files without rows, directories without snapshots, and what is half made.</summary>
    /// <param name="cli">The root.</param>
    /// <param name="view">What the root tells.</param>
    /// <param name="ingests">Whether there may be no ingest either. They stay for a day, unless they were gone on with.</param>
    public static IEnumerable<Finding> Of(StoreCli cli, StoreView view, bool ingests)
    {
        var named = view.Content.Keys.Select(key => key[(key.IndexOf(' ', StringComparison.Ordinal) + 1)..]).ToHashSet(StringComparer.Ordinal);
        foreach (var digest in new BlobFiles(cli.Blobs).All.Where(digest => !named.Contains(digest)))
        {
            yield return new Finding(FindingKind.Leftover, $"the file of {digest}, which no namespace sees");
        }

        foreach (var ingest in ingests ? Entries(cli.Ingests) : [])
        {
            var files = string.Join(' ', Entries(Path.Combine(cli.Ingests, ingest)));
            yield return new Finding(FindingKind.Leftover, $"the ingest {ingest} with {files}");
        }

        foreach (var partial in Directory.EnumerateFiles(cli.Root, "*", SearchOption.TopDirectoryOnly)
            .Concat(Directory.EnumerateFiles(Path.Combine(cli.Root, "metadata")))
            .Where(file => Path.GetExtension(file) is ".new" or ".partial" or ".tmp"))
        {
            yield return new Finding(FindingKind.Leftover, $"the file {partial}");
        }

        var kinds = Path.Combine(cli.Root, "snapshots");
        var folders = Entries(kinds).SelectMany(kind => Entries(Path.Combine(kinds, kind))).ToList();
        foreach (var folder in folders.Where(name => !long.TryParse(name, CultureInfo.InvariantCulture, out _)))
        {
            yield return new Finding(FindingKind.Leftover, $"the folder {folder} among the snapshots");
        }

        if (folders.Count > view.Snapshots.Count)
        {
            yield return new Finding(FindingKind.Leftover, $"{folders.Count} folders for {view.Snapshots.Count} snapshots");
        }
    }

    private static IEnumerable<string> Entries(string directory) =>
        Directory.Exists(directory) ? Directory.EnumerateFileSystemEntries(directory).Select(path => Path.GetFileName(path)) : [];
}
