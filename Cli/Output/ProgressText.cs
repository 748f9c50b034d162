using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Store.Errors;

namespace ImageStore.Cli.Output;

/// <summary>What progress looks like, line by line.</summary>
internal static class ProgressText
{
    private const int MaxBar = 24;
    private const int MinBar = 8;
    private const int ShortDigest = 12;
    private const int Gaps = 6;

    /// <summary>The picture for a terminal: a line a blob, what is under way first when there is little room, and the total.</summary>
    public static IReadOnlyList<string> Live(
        string phase, IReadOnlyList<BlobProgress> blobs, double rate, int width, int height)
    {
        // A line that reaches the last column would wrap, and one more than the height would scroll the picture away.
        var (columns, rows) = (Math.Max(1, width - 1), Math.Max(1, height - 3));
        var shown = blobs;
        List<string> lines = [];
        if (blobs.Count > rows)
        {
            shown = [.. blobs.OrderBy(blob => blob.State is BlobState.Done or BlobState.Exists).Take(rows - 1)];
            lines.Add($"… and {blobs.Count - shown.Count} more");
        }

        lines.InsertRange(0, Lines(shown, columns));
        lines.Add(Total(phase, blobs, rate));
        return [.. lines.Select(line => line.Length > columns ? line[..columns] : line)];
    }

    /// <summary>A line of its own, where nothing can be redrawn.</summary>
    public static string Plain(BlobProgress blob) => $"{Name(blob)}  {Sizes.Of(blob.Total),10}  {State(blob.State)}";

    /// <summary>Do its bytes count for the rate?</summary>
    public static bool CameNow(BlobProgress blob) => blob.State is not (BlobState.Exists or BlobState.Resuming);

    private static IEnumerable<string> Lines(IReadOnlyList<BlobProgress> blobs, int columns)
    {
        var figures = blobs.Select(Figures).ToList();
        var room = blobs.Count == 0 ? 0 : Math.Min(MaxBar, columns - Name(blobs[0]).Length - figures.Max(text => text.Length) - Gaps);
        return blobs.Select((blob, i) =>
            room < MinBar ? $"{Name(blob)}  {figures[i]}" : $"{Name(blob)}  [{Bar(blob, room)}]  {figures[i]}");
    }

    private static string Figures(BlobProgress blob)
    {
        var unpacked = blob is { Unpacked: > 0, State: not BlobState.Done } ? $", {Sizes.Of(blob.Unpacked)} unpacked" : string.Empty;
        return $"{Sizes.Of(blob.Done),10} of {Sizes.Of(blob.Total),10}  {State(blob.State)}{unpacked}";
    }

    private static string Bar(BlobProgress blob, int room)
    {
        var filled = blob.Total <= 0 ? room : (int)Math.Clamp((double)room * blob.Done / blob.Total, 0, room);
        return new string('#', filled).PadRight(room, '.');
    }

    private static string Total(string phase, IReadOnlyList<BlobProgress> blobs, double rate)
    {
        var (done, total) = (blobs.Sum(blob => blob.Done), blobs.Sum(blob => blob.Total));
        if (total == 0 || phase is "done" or "naming")
        {
            return total == 0 ? Printable.Of(phase) : $"{Printable.Of(phase)}: {Sizes.Of(total)}";
        }

        if (phase == "copying")
        {
            return $"copying: {Sizes.Of(done)} of {Sizes.Of(total)} ({100 * done / total}%), {Sizes.Of((long)rate)}/s";
        }

        return done < total
            ? $"downloading: {Sizes.Of(done)} of {Sizes.Of(total)} ({100 * done / total}%), {Sizes.Of((long)rate)}/s"
            : $"unpacking: all {Sizes.Of(total)} are here, {Sizes.Of(blobs.Sum(blob => blob.Unpacked))} unpacked";
    }

    private static string Name(BlobProgress blob) => $"{blob.Kind,-6} {blob.Digest.Hex[..ShortDigest]}";

    private static string State(BlobState state) => state switch
    {
        BlobState.Exists => "already there",
        _ => state.ToString().ToLowerInvariant(),
    };
}
