using ImageStore.Store;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>Compresses a stream in blocks of one size, several at once, and writes them in order.</summary>
/// <remarks>
/// A block's bytes depend on its content alone, so the result is the same with one thread and with many. The caller's thread
/// fills blocks, writes finished ones and waits where too many are under way; that bounds the memory. Call
/// <see cref="Finish"/> at the end; disposed without it, it only waits for what runs.
/// </remarks>
internal sealed class ParallelCompressor : WriteOnlyStream
{
    // So that there is something to do while the caller writes.
    private const int BlocksAhead = 2;

    private readonly Stream _output;
    private readonly BlockFormat _format;
    private readonly int _blocks;
    private readonly CancellationToken _cancellationToken;
    private readonly Queue<(CompressedBlock Block, Task Work)> _running = [];
    private readonly Stack<CompressedBlock> _idle = [];
    private CompressedBlock? _filling;

    public ParallelCompressor(Stream output, BlockFormat format, int workers, CancellationToken cancellationToken)
    {
        (_output, _format, _blocks, _cancellationToken) = (output, format, workers + BlocksAhead, cancellationToken);
        _format.Begin(output);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var block = _filling ??= _idle.TryPop(out var idle) ? idle : new CompressedBlock(_format.BlockBytes);
            var count = block.Append(buffer);
            buffer = buffer[count..];
            if (block.IsFull)
            {
                Submit();
            }
        }
    }

    /// <summary>Writes all that is left, and the format's end.</summary>
    public void Finish()
    {
        if (_filling is { Length: > 0 })
        {
            Submit();
        }

        while (_running.Count > 0)
        {
            WriteOldest();
        }

        _format.End(_output);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            // What fails now is told already, or is of no interest to who gives up.
            Task.WhenAll(_running.Select(running => running.Work)).ContinueWith(
                static done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).Wait(CancellationToken.None);
            _format.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Submit()
    {
        var block = _filling!;
        _filling = null;
        _cancellationToken.ThrowIfCancellationRequested();
        _format.Look(block.Content);
        _running.Enqueue((block, Task.Run(() => _format.Compress(block), CancellationToken.None)));
        if (_running.Count == _blocks)
        {
            WriteOldest();
        }
    }

    private void WriteOldest()
    {
        var (block, work) = _running.Peek();
        work.GetAwaiter().GetResult();
        _output.Write(block.Result);
        _running.Dequeue();
        block.Clear();
        _idle.Push(block);
    }
}
