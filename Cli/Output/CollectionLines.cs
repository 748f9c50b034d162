using ImageStore.Gc;
using ImageStore.Store.Resources;

namespace ImageStore.Cli.Output;

/// <summary>Tells what a collection did in a line.</summary>
internal static class CollectionLines
{
    public static void Write(TextWriter output, CollectionReport report)
    {
        List<string> parts = [];
        Add(report.Count(ResourceKind.Content), "blob");
        Add(report.Count(ResourceKind.Snapshot), "snapshot");
        Add(report.Count(ResourceKind.Image), "expired image");
        Add(report.Count(ResourceKind.Lease), "expired lease");
        Add(report.StrayFiles, "stray file");
        Add(report.Ingests, "old download");
        var what = parts.Count == 0 ? "nothing" : string.Join(", ", parts);
        var (verb, bytes) = report.DryRun ? ("would remove", "to free") : ("removed", "freed");
        output.WriteLine($"{verb} {what}; {Sizes.Of(report.FreedBytes)} {bytes}");

        void Add(int count, string noun)
        {
            if (count > 0)
            {
                parts.Add($"{count} {noun}{(count == 1 ? string.Empty : "s")}");
            }
        }
    }
}
