using Grpc.Core;

namespace ImageStore.Daemon.Auditing;

/// <summary>Remembers what the first message of a stream was about.</summary>
internal sealed class FirstMessage<T>(IAsyncStreamReader<T> messages) : IAsyncStreamReader<T>
{
    private bool _isRead;

    /// <summary>What it was about; null where it did not say or did not come.</summary>
    public string? Subject { get; private set; }

    public T Current => messages.Current;

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        var isThere = await messages.MoveNext(cancellationToken).ConfigureAwait(false);
        if (isThere && !_isRead)
        {
            (_isRead, Subject) = (true, AuditSubject.Of(messages.Current));
        }

        return isThere;
    }
}
