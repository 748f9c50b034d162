using ImageStore.Engine.Fsck;
using ImageStore.Store.Errors;

namespace ImageStore.Cli.Output;

/// <summary>What fsck found, for a person; and while it reads, how far it is.</summary>
internal sealed class FsckLines : IProgress<FsckProgress>, IDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly Timer _timer;
    private FsckProgress _last;
    private bool _drawn;

    private FsckLines() => _timer = new Timer(_ => Draw(), null, s_pause, s_pause);

    /// <summary>Lines on the terminal's standard error; null where that is none, or the session is quiet.</summary>
    public static FsckLines? For(Session session) =>
        session.Quiet || Console.IsErrorRedirected || Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb" ? null : new FsckLines();

    public void Report(FsckProgress value)
    {
        lock (_gate)
        {
            _last = value.Bytes > _last.Bytes ? value : _last;
        }
    }

    public void Clear()
    {
        _timer.Dispose();
        lock (_gate)
        {
            if (_drawn)
            {
                Console.Error.Write("\r\e[K");
                _drawn = false;
            }
        }
    }

    public void Dispose() => Clear();

    public static void Write(TextWriter output, FsckReport report, bool quick)
    {
        foreach (var finding in report.Findings)
        {
            var whose = finding.Namespace is { } ns && ns != finding.Subject ? $" of {ns}" : string.Empty;
            output.WriteLine($"{(finding.IsDamage ? "damage" : "note  ")}  {Words(finding.Kind)} {Printable.Of(finding.Subject)}{whose}: {Printable.Of(finding.Detail)}");
            if ((finding.Repair is { } done ? $"repaired: {done}" : finding.Remedy) is { } more)
            {
                output.WriteLine($"        {Printable.Of(more)}");
            }
        }

        var read = quick ? "not read" : $"{report.VerifiedBlobs} read, {Sizes.Of(report.VerifiedBytes)}{(report.IsComplete ? string.Empty : ", not all: --resume goes on")}";
        output.WriteLine(
            $"{report.Rows} rows, {report.Blobs} blobs ({read}), {report.Images} images, {report.Snapshots} snapshots: "
            + (report.Findings.Count(finding => finding.IsDamage) is > 0 and var damage
                ? $"{damage} damaged, {damage - report.Damage} of them repaired"
                : "no damage"));
    }

    /// <exception cref="ImageStoreException">There is damage left (<see cref="ErrorKind.CorruptData"/>).</exception>
    public static void RefuseDamage(FsckReport report, bool repaired)
    {
        if (report.Damage > 0)
        {
            throw new ImageStoreException(
                ErrorKind.CorruptData,
                $"{report.Damage} {(report.Damage == 1 ? "thing is" : "things are")} damaged or missing.",
                repaired ? "What is told of each says what is left to do." : "'imagestore fsck --repair' puts right what can be.");
        }
    }

    private static string Words(FindingKind kind) => kind switch
    {
        FindingKind.MetadataDamaged => "metadata",
        FindingKind.NamespaceUnlisted => "namespace",
        FindingKind.BlobDamaged or FindingKind.BlobMissing or FindingKind.BlobUnclaimed or FindingKind.ReferencesMissing => "blob",
        FindingKind.ImageIncomplete => "image",
        FindingKind.ForeignFile => "file",
        _ => "snapshot",
    };

    private void Draw()
    {
        lock (_gate)
        {
            if (_last.Total > 0)
            {
                Console.Error.Write($"\r\e[Kreading blobs: {Sizes.Of(_last.Bytes)} of {Sizes.Of(_last.Total)} ({100 * _last.Bytes / _last.Total}%)");
                _drawn = true;
            }
        }
    }
}
