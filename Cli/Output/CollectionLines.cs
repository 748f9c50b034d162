using System.Globalization;
using ImageStore.Gc;
using ImageStore.Gc.Pressure;
using ImageStore.Store.Errors;
using ImageStore.Store.Resources;

namespace ImageStore.Cli.Output;

/// <summary>Tells what a collection did in a line.</summary>
internal static class CollectionLines
{
    public static void Write(TextWriter output, CollectionReport report)
    {
        List<string> parts = [];
        Add(parts, report.Count(ResourceKind.Content), "blob");
        Add(parts, report.Count(ResourceKind.Snapshot), "snapshot");
        Add(parts, report.Count(ResourceKind.Image), "expired image");
        Add(parts, report.Count(ResourceKind.Lease), "expired lease");
        Add(parts, report.StrayFiles, "stray file");
        Add(parts, report.Ingests, "old download");
        var (verb, bytes) = report.DryRun ? ("would remove", "to free") : ("removed", "freed");
        output.WriteLine($"{verb} {What(parts)}; {Sizes.Of(report.FreedBytes)} {bytes}");
    }

    public static void Write(TextWriter output, EvictionReport report)
    {
        foreach (var image in report.Evicted)
        {
            output.WriteLine($"{image.Namespace}  {Printable.Of(image.ToString())}");
        }

        List<string> parts = [];
        Add(parts, report.Evicted.Count, "image");
        output.WriteLine(
            $"removed {What(parts)}; {Sizes.Of(report.FreedBytes)} freed; the filesystem was {Share(report.UsedBefore)} full and is {Share(report.UsedAfter)} full"
            + (report.IsEnough ? string.Empty : "; what is left is pinned, leased or in use, or is not the store's"));

        static string Share(double used) => used.ToString("P0", CultureInfo.InvariantCulture);
    }

    public static void Write(TextWriter output, PurgeReport report)
    {
        List<string> parts = [];
        Add(parts, Count(ResourceKind.Image), "image");
        Add(parts, Count(ResourceKind.Content), "blob");
        Add(parts, Count(ResourceKind.Snapshot), "snapshot");
        Add(parts, Count(ResourceKind.Lease), "lease");
        Add(parts, Count(ResourceKind.Container), "container");
        Add(parts, report.Ingests, "download");
        output.WriteLine($"removed {What(parts)}; {Sizes.Of(report.FreedBytes)} freed");

        int Count(ResourceKind kind) => report.Removed.Count(resource => resource.Kind == kind);
    }

    private static string What(List<string> parts) => parts.Count == 0 ? "nothing" : string.Join(", ", parts);

    private static void Add(List<string> parts, int count, string noun)
    {
        if (count > 0)
        {
            parts.Add($"{count} {noun}{(count == 1 ? string.Empty : "s")}");
        }
    }
}
