using System.Diagnostics;
using System.Globalization;
using System.Text;
using ImageStore.Distribution.Transfer.Progress;

namespace ImageStore.Cli.Output;

/// <summary>Draws a pull while it runs: in place on a terminal, else a line for each change of a blob's state.</summary>
internal sealed class ProgressLines : IAsyncDisposable
{
    private const int UsualWidth = 80;
    private const int UsualHeight = 24;
    private const double Smoothing = 0.2;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<BlobProgress, BlobState> _told = [];
    private readonly TransferProgress _progress;
    private readonly TextWriter _output;
    private readonly bool _live;
    private readonly Task _drawing;
    private int _drawn;
    private long _lastBytes;
    private long _lastTime = Stopwatch.GetTimestamp();
    private double _rate;

    private ProgressLines(TransferProgress progress, TextWriter output, bool live)
    {
        (_progress, _output, _live) = (progress, output, live);
        _drawing = Task.Run(DrawAsync);
    }

    /// <summary>Runs <paramref name="work"/>, and draws how far it is on standard error unless the session is quiet.</summary>
    public static async Task<T> WhileAsync<T>(Session session, Func<TransferProgress, Task<T>> work)
    {
        var progress = new TransferProgress();
        if (session.Quiet)
        {
            return await work(progress).ConfigureAwait(false);
        }

        var live = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");
        var lines = new ProgressLines(progress, Console.Error, live);
        await using var drawing = lines.ConfigureAwait(false);
        return await work(progress).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _drawing.ConfigureAwait(false);
        _stop.Dispose();
        foreach (var warning in _progress.Blobs.Select(blob => blob.Warning).OfType<string>())
        {
            _output.WriteLine($"imagestore: {warning}");
        }
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
        var blobs = _progress.Blobs.Where(blob => blob.Kind is "layer" or "config").ToList();
        if (_live)
        {
            DrawInPlace(blobs);
            return;
        }

        foreach (var blob in blobs.Where(blob => _told.GetValueOrDefault(blob) != blob.State))
        {
            _told[blob] = blob.State;
            _output.WriteLine(ProgressText.Plain(blob));
        }
    }

    private void DrawInPlace(List<BlobProgress> blobs)
    {
        var (width, height) = Terminal();
        var lines = ProgressText.Live(_progress.Phase, blobs, Rate(blobs), width, height);
        var text = new StringBuilder();
        if (_drawn > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"\e[{_drawn}A\r");
        }

        // What is left of the picture before goes too: it may have had more lines.
        text.Append("\e[J").AppendJoin('\n', lines).Append('\n');
        _drawn = lines.Count;
        _output.Write(text.ToString());
        _output.Flush();
    }

    private double Rate(List<BlobProgress> blobs)
    {
        var (bytes, now) = (blobs.Where(ProgressText.CameNow).Sum(blob => blob.Done), Stopwatch.GetTimestamp());
        var seconds = Stopwatch.GetElapsedTime(_lastTime, now).TotalSeconds;
        if (seconds > 0)
        {
            _rate += Smoothing * ((Math.Max(0, bytes - _lastBytes) / seconds) - _rate);
        }

        (_lastBytes, _lastTime) = (bytes, now);
        return _rate;
    }

    private static (int Width, int Height) Terminal()
    {
        try
        {
            return (Console.WindowWidth is > 0 and var width ? width : UsualWidth,
                Console.WindowHeight is > 0 and var height ? height : UsualHeight);
        }
        catch (IOException)
        {
            return (UsualWidth, UsualHeight);
        }
    }
}
