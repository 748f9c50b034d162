using System.Collections.Concurrent;
using ImageStore.Daemon.Api;
using ImageStore.Runtime.Protocol.Types;
using ImageStore.Daemon.Streaming;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;
using V1 = ImageStore.Daemon.Protocol.Transfers;

namespace ImageStore.Daemon.Transfers;

/// <summary>Tells a client over a stream how far its transfer is, in the words that clients of containerd draw.</summary>
/// <param name="stream">The client's; null where it wants to hear nothing.</param>
/// <param name="image">What the transfer is about; blobs are told below it.</param>
/// <param name="moving">What blobs that are on their way are said to be: <c>downloading</c> or <c>uploading</c>.</param>
/// <param name="time">The clock.</param>
internal sealed class ProgressReport(ClientStream? stream, string image, string moving, TimeProvider time)
{
    private static readonly TimeSpan s_every = TimeSpan.FromMilliseconds(250);

    // How long a client that does not read may keep a transfer from ending.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly Dictionary<Digest, (string Event, long Done)> _told = [];
    private readonly ConcurrentQueue<V1.Progress> _saved = new();

    /// <summary>Does the work, and tells of it until it has ended.</summary>
    public async Task<T> WhileAsync<T>(string begin, Func<TransferProgress, Task<T>> work, string end, CancellationToken cancellationToken)
    {
        var progress = new TransferProgress();
        if (stream is null)
        {
            return await work(progress).ConfigureAwait(false);
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var patience = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        var telling = TellAsync(begin, progress, ended.Token, patience.Token);
        var last = string.Empty;
        try
        {
            var result = await work(progress).ConfigureAwait(false);
            last = end;
            return result;
        }
        finally
        {
            // A message that is under way is let end: to cancel it would break the stream off.
            await ended.CancelAsync().ConfigureAwait(false);
            patience.CancelAfter(s_patience);
            await telling.ConfigureAwait(false);
            await FinishAsync(progress, last, patience.Token).ConfigureAwait(false);
            stream.End();
        }
    }

    /// <summary>Has the client hear what an image was saved as.</summary>
    public void Saved(string name, Descriptor target) =>
        _saved.Enqueue(new V1.Progress { Event = "saved", Name = name, Desc = target.ToWire() });

    private Task TellAsync(string begin, TransferProgress progress, CancellationToken ended, CancellationToken patience) => TryAsync(async () =>
    {
        await SendAsync(new V1.Progress { Event = begin }, patience).ConfigureAwait(false);
        await SendAsync(new V1.Progress { Event = "fetching image content", Name = image }, patience).ConfigureAwait(false);
        while (true)
        {
            await Task.Delay(s_every, time, ended).ConfigureAwait(false);
            await BlobsAsync(progress, patience).ConfigureAwait(false);
        }
    });

    private Task FinishAsync(TransferProgress progress, string last, CancellationToken patience) => TryAsync(async () =>
    {
        await BlobsAsync(progress, patience).ConfigureAwait(false);
        if (last.Length > 0)
        {
            await SendAsync(new V1.Progress { Event = last }, patience).ConfigureAwait(false);
        }
    });

    /// <summary>Whether anybody listens is nothing that a transfer depends on.</summary>
    private static async Task TryAsync(Func<Task> tell)
    {
        try
        {
            await tell().ConfigureAwait(false);
        }
        catch (Exception over) when (over is OperationCanceledException or ImageStoreException)
        {
            // It is over, or the client is gone or does not read.
        }
    }

    private async Task BlobsAsync(TransferProgress progress, CancellationToken cancellationToken)
    {
        foreach (var blob in progress.Blobs)
        {
            var now = (EventOf(blob.State), blob.Done);
            if (_told.TryGetValue(blob.Digest, out var before) && before == now)
            {
                continue;
            }

            _told[blob.Digest] = now;
            await SendAsync(
                new V1.Progress
                {
                    Event = now.Item1,
                    Name = $"{blob.Kind}-{blob.Digest}",
                    Parents = { image },
                    Progress_ = now.Done,
                    Total = blob.Total,
                    Desc = new Blob { Digest = blob.Digest.ToString(), Size = blob.Total },
                },
                cancellationToken).ConfigureAwait(false);
        }

        while (_saved.TryDequeue(out var saved))
        {
            await SendAsync(saved, cancellationToken).ConfigureAwait(false);
        }
    }

    private string EventOf(BlobState state) => state switch
    {
        BlobState.Waiting => "waiting",
        BlobState.Exists => "already exists",
        BlobState.Unpacking => "extracting",
        BlobState.Verified or BlobState.Done => "complete",
        _ => moving,
    };

    private Task SendAsync(V1.Progress message, CancellationToken cancellationToken) =>
        stream?.SendAsync(message, cancellationToken) ?? Task.CompletedTask;
}
