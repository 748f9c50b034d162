using System.Globalization;
using ImageStore.Engine.Progress;

namespace ImageStore.Cli.Output;

/// <summary>Draws a pull while it runs: live on a terminal, else a line for each change of a blob's state.</summary>
internal sealed class ProgressLines(PullProgress progress, TextWriter output, bool live) : IAsyncDisposable
{
    private const int BarWidth = 24;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<BlobProgress, BlobState> _told = [];
    private Task _drawing = Task.CompletedTask;
    private int _drawn;
    private long _lastBytes;
    private double _rate;

    public void Start() => _drawing = Task.Run(DrawAsync);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _drawing.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task DrawAsync()
    {
        using var timer = new PeriodicTimer(s_pause);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                Draw();
            }
        }
        catch (OperationCanceledException)
        {
            Draw();
        }
    }

    private void Draw()
    {
        var blobs = progress.Blobs.Where(blob => blob.Kind is "layer" or "config").ToList();
        if (live)
        {
            DrawLive(blobs);
        }
        else
        {
            foreach (var blob in blobs.Where(blob => _told.GetValueOrDefault(blob) != blob.State))
            {
                _told[blob] = blob.State;
                output.WriteLine($"{Name(blob)}  {Text(blob.State)}  {Sizes.Of(blob.Total)}");
            }
        }
    }

    private void DrawLive(List<BlobProgress> blobs)
    {
        var width = Math.Max(20, Console.WindowWidth - 1);
        var lines = blobs.Take(Math.Max(1, Console.WindowHeight - 3)).Select(Line).Append(Total(blobs)).ToList();
        var text = new System.Text.StringBuilder();
        if (_drawn > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"\e[{_drawn}A");
        }

        foreach (var line in lines)
        {
            text.Append("\e[2K").AppendLine(line.Length > width ? line[..width] : line);
        }

        _drawn = lines.Count;
        output.Write(text.ToString());
        output.Flush();
    }

    private string Line(BlobProgress blob)
    {
        var filled = blob.Total == 0 ? BarWidth : (int)(BarWidth * blob.Done / blob.Total);
        var bar = new string('#', filled).PadRight(BarWidth, '.');
        var unpacked = blob.Unpacked > 0 ? $"  {Sizes.Of(blob.Unpacked)} unpacked" : string.Empty;
        return $"{Name(blob)}  [{bar}]  {Sizes.Of(blob.Done)} of {Sizes.Of(blob.Total)}  {Text(blob.State)}{unpacked}";
    }

    private string Total(List<BlobProgress> blobs)
    {
        var (done, total) = (blobs.Sum(blob => blob.Done), blobs.Sum(blob => blob.Total));
        _rate = (0.8 * _rate) + (0.2 * (done - _lastBytes) / s_pause.TotalSeconds);
        _lastBytes = done;
        return $"{progress.Phase}: {Sizes.Of(done)} of {Sizes.Of(total)}, {Sizes.Of((long)_rate)}/s";
    }

    private static string Name(BlobProgress blob) => $"{blob.Kind,-6} {blob.Digest.Hex[..12]}";

    private static string Text(BlobState state) => state switch
    {
        BlobState.Exists => "already there",
        BlobState.Verified => "verified",
        _ => state.ToString().ToLowerInvariant(),
    };
}
