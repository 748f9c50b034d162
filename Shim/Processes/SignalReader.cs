using ImageStore.Shim.Interop;
using ImageStore.Shim.Loop;

namespace ImageStore.Shim.Processes;

/// <summary>Reads signals in the loop: ends of children, and wishes that the shim stop.</summary>
internal sealed class SignalReader : IDisposable
{
    private readonly Watch _signals;
    private readonly Children _children;
    private readonly TaskCompletionSource _stop = new();

    public SignalReader(EventLoop loop, Children children)
    {
        _children = children;
        _signals = loop.Add(Signals.Open());
        _ = ReadAsync();
    }

    /// <summary>Ends when somebody wants the shim to.</summary>
    public Task Stop => _stop.Task;

    /// <inheritdoc/>
    public void Dispose() => _signals.Dispose();

    private async Task ReadAsync()
    {
        var records = new byte[Signals.RecordSize * 8];
        try
        {
            while (true)
            {
                // Signals of one kind become one while nobody reads: whatever number comes, all who have ended are asked for.
                int read;
                while ((read = Descriptors.Read(_signals.File, records)) > 0)
                {
                    for (var at = 0; at < read; at += Signals.RecordSize)
                    {
                        Take((int)BitConverter.ToUInt32(records, at));
                    }
                }

                await _signals.ReadableAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The shim ends.
        }
    }

    private void Take(int signal)
    {
        if (signal == Signals.Child)
        {
            _children.Reap();
        }
        else
        {
            _stop.TrySetResult();
        }
    }
}
