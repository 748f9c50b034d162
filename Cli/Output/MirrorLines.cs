using ImageStore.Distribution.Transfer.Mirroring;
using ImageStore.Store.Errors;

namespace ImageStore.Cli.Output;

/// <summary>Tells of a mirror's images one by one, and of all of them at the end.</summary>
internal sealed class MirrorLines(Session session, MirrorOptions options)
{
    private readonly Lock _gate = new();

    // An archive on standard output leaves no room for words there.
    private readonly TextWriter _output = options.To?.EndsWith(":-", StringComparison.Ordinal) is true ? Console.Error : Console.Out;

    public void Tell(MirrorOutcome outcome)
    {
        lock (_gate)
        {
            if (outcome.Status == MirrorStatus.Failed)
            {
                var name = outcome.Source.Length > 0 ? outcome.Source : outcome.Target!;
                var subject = outcome.Reason!.Contains(name, StringComparison.Ordinal) ? string.Empty : $"{Printable.Of(name)}: ";
                Console.Error.WriteLine($"imagestore: {subject}{outcome.Reason}");
                if (outcome.Remedy is not null)
                {
                    Console.Error.WriteLine($"  {outcome.Remedy}");
                }
            }
            else if (!session.Json && !session.Quiet)
            {
                _output.WriteLine(Line(outcome));
            }
        }
    }

    public void Summarize(MirrorReport report)
    {
        if (session.Json)
        {
            if (_output == Console.Out)
            {
                Json.Write(report, Json.Default.MirrorReport);
            }

            return;
        }

        List<string> parts = [$"{report.Count(MirrorStatus.Copied)} {(report.DryRun ? "to copy" : "copied")}"];
        foreach (var (status, word) in (ReadOnlySpan<(MirrorStatus, string)>)[
            (MirrorStatus.UpToDate, "up to date"), (MirrorStatus.Pruned, report.DryRun ? "to prune" : "pruned"), (MirrorStatus.Kept, "kept"),
            (MirrorStatus.Failed, "failed")])
        {
            if (report.Count(status) is > 0 and var count)
            {
                parts.Add($"{count} {word}");
            }
        }

        var bytes = $"{Sizes.Of(report.BytesToMove)} {(report.DryRun ? "to move" : "moved")}";
        var free = report.DryRun && report.FreeBytes is { } left ? $", {Sizes.Of(left)} free there" : string.Empty;
        _output.WriteLine($"{report.Images.Count} {(report.Images.Count == 1 ? "image" : "images")}: {string.Join(", ", parts)}; {bytes}{free}");
    }

    private string Line(MirrorOutcome outcome) => outcome.Status switch
    {
        MirrorStatus.UpToDate => $"up to date  {Printable.Of(outcome.Target!)}",
        MirrorStatus.Pruned => $"{(options.DryRun ? "would prune" : "pruned     ")} {Printable.Of(outcome.Target!)}",
        MirrorStatus.Kept => $"kept        {Printable.Of(outcome.Target!)}: {outcome.Reason}",
        _ => $"{(options.DryRun ? "would copy " : "copied     ")} {Printable.Of(outcome.Source)}"
            + (outcome.Target == outcome.Source ? string.Empty : $" to {Printable.Of(outcome.Target!)}")
            + $"  ({outcome.Blobs} blobs, {Sizes.Of(outcome.Bytes)})",
    };
}
