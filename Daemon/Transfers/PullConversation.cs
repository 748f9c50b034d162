using Grpc.Core;
using ImageStore.Daemon.Api;
using ImageStore.Daemon.Protocol.StoreV1;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Store.Errors;
using BlobProgress = ImageStore.Daemon.Protocol.StoreV1.BlobProgress;
using Pulled = ImageStore.Engine.Pull.PullResult;

namespace ImageStore.Daemon.Transfers;

/// <summary>What a pull and the command that asked for it say to each other, one message at a time.</summary>
internal sealed class PullConversation(IAsyncStreamReader<PullMessage> answers, IServerStreamWriter<PullEvent> events) : IDisposable
{
    private static readonly TimeSpan s_every = TimeSpan.FromMilliseconds(100);

    // Whoever is asked may have to ask somebody in turn.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly SemaphoreSlim _asking = new(1, 1);
    private readonly List<BlobProgress> _told = [];
    private string _phase = string.Empty;
    private bool _isSilent;

    /// <summary>Does the work, and tells of it until it has ended.</summary>
    public async Task<T> WhileAsync<T>(Func<TransferProgress, Task<T>> work, TimeProvider time, CancellationToken cancellationToken)
    {
        var progress = new TransferProgress();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var telling = TellAsync(progress, time, ended.Token, cancellationToken);
        try
        {
            return await work(progress).ConfigureAwait(false);
        }
        finally
        {
            // A message that is under way is let end: to cancel it would break the call off.
            await ended.CancelAsync().ConfigureAwait(false);
            await telling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Tells what came of it.</summary>
    public Task TellAsync(Pulled result, CancellationToken cancellationToken) => SendAsync(
        new PullEvent
        {
            Result = new Protocol.StoreV1.PullResult
            {
                Name = result.Name,
                Target = result.Target.ToWire(),
                Manifest = result.Manifest.ToString(),
                UpToDate = result.UpToDate,
                Snapshotter = result.Snapshotter ?? string.Empty,
                ChainId = result.ChainId?.ToString() ?? string.Empty,
                BytesDownloaded = result.BytesDownloaded,
            },
        },
        cancellationToken);

    /// <summary>Asks as whom a registry is to be spoken to; null for nobody.</summary>
    /// <exception cref="ImageStoreException">The client does not answer, or with something else (<see cref="ErrorKind.Unauthenticated"/>).</exception>
    public async Task<RegistryCredential?> AskAsync(string registry, string repository, CancellationToken cancellationToken)
    {
        await _asking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_isSilent)
            {
                throw Silent(registry, null);
            }

            // An answer that comes late must not pass for the one to the next question.
            _isSilent = true;
            var question = new CredentialQuestion { Registry = registry, Repository = repository };
            await SendAsync(new PullEvent { Question = question }, cancellationToken).ConfigureAwait(false);
            if (!await answers.MoveNext(cancellationToken).WaitAsync(s_patience, cancellationToken).ConfigureAwait(false)
                || answers.Current.Credential is not { } answer)
            {
                throw Silent(registry, null);
            }

            _isSilent = false;
            return Of(answer);
        }
        catch (TimeoutException failure)
        {
            throw Silent(registry, failure);
        }
        finally
        {
            _asking.Release();
        }
    }

    public void Dispose()
    {
        _sending.Dispose();
        _asking.Dispose();
    }

    private static RegistryCredential? Of(Credential answer) =>
        answer.Secret.Length == 0 ? null : new RegistryCredential(answer.Username.Length > 0 ? answer.Username : null, answer.Secret);

    private static ImageStoreException Silent(string registry, Exception? cause) => new(
        ErrorKind.Unauthenticated, $"The client was asked for credentials of {Printable.Of(registry)}, and did not answer.", null, cause);

    private async Task TellAsync(TransferProgress progress, TimeProvider time, CancellationToken ended, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(s_every, time);
        try
        {
            while (await timer.WaitForNextTickAsync(ended).ConfigureAwait(false))
            {
                await SendAsync(progress, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // How it ended is told too.
            await SendAsync(progress, cancellationToken).ConfigureAwait(false);
        }
    }

    private Task SendAsync(TransferProgress progress, CancellationToken cancellationToken)
    {
        var message = new PullProgress { Phase = progress.Phase };
        for (var (i, blobs) = (0, progress.Blobs); i < blobs.Count; i++)
        {
            var now = ToWire(i, blobs[i]);
            if (i == _told.Count)
            {
                _told.Add(now);
            }
            else if (_told[i].Equals(now))
            {
                continue;
            }

            _told[i] = now;
            message.Blobs.Add(now);
        }

        var isNews = message.Blobs.Count > 0 || message.Phase != _phase;
        _phase = message.Phase;
        return isNews ? SendAsync(new PullEvent { Progress = message }, cancellationToken) : Task.CompletedTask;
    }

    private static BlobProgress ToWire(int index, Distribution.Transfer.Progress.BlobProgress blob) => new()
    {
        Index = (uint)index,
        Kind = blob.Kind,
        Digest = blob.Digest.ToString(),
        Total = blob.Total,
        Done = blob.Done,
        Unpacked = blob.Unpacked,
        State = blob.State.ToString(),
        Warning = blob.Warning ?? string.Empty,
    };

    private async Task SendAsync(PullEvent message, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await events.WriteAsync(message, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _sending.Release();
        }
    }
}
