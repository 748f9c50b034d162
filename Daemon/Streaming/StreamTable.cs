using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Streaming;

/// <summary>The streams that clients have opened, until a call takes them.</summary>
internal sealed class StreamTable
{
    private const int MaxIdLength = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Namespace, string Id), ClientStream> _streams = [];
    private readonly Dictionary<string, int> _open = new(StringComparer.Ordinal);

    /// <summary>Has calls find a stream.</summary>
    /// <returns>Disposed when the client's call ends; only then does it no longer count.</returns>
    /// <exception cref="ImageStoreException">The name is malformed (<see cref="ErrorKind.InvalidArgument"/>) or taken
    /// (<see cref="ErrorKind.AlreadyExists"/>), or there are too many (<see cref="ErrorKind.LimitExceeded"/>).</exception>
    public IDisposable Add(string @namespace, string id, ClientStream stream)
    {
        if (id.Length is 0 or > MaxIdLength)
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, $"A stream's name has 1 to {MaxIdLength} characters, not {id.Length}.");
        }

        lock (_gate)
        {
            var open = _open.GetValueOrDefault(@namespace);
            if (open >= DaemonLimits.StreamsPerNamespace)
            {
                throw new ImageStoreException(
                    ErrorKind.LimitExceeded, $"The namespace {@namespace} has {open} streams open.", "Let transfers end before others are begun.");
            }

            if (!_streams.TryAdd((@namespace, id), stream))
            {
                throw new ImageStoreException(ErrorKind.AlreadyExists, $"There is a stream {Printable.Of(id)}.");
            }

            _open[@namespace] = open + 1;
        }

        return new Entry(this, @namespace, id, stream);
    }

    /// <summary>Takes a stream: nobody else finds it any more.</summary>
    /// <exception cref="ImageStoreException">There is none of that name (<see cref="ErrorKind.NotFound"/>).</exception>
    public ClientStream Take(string @namespace, string id)
    {
        lock (_gate)
        {
            return _streams.Remove((@namespace, id), out var stream)
                ? stream
                : throw new ImageStoreException(
                    ErrorKind.NotFound, $"There is no stream {Printable.Of(id)}.", "Open it before the call that uses it; one call takes it.");
        }
    }

    /// <summary>Ends a stream that nobody has taken.</summary>
    public void Abandon(string @namespace, string id, ClientStream stream)
    {
        lock (_gate)
        {
            if (!_streams.TryGetValue((@namespace, id), out var found) || found != stream)
            {
                return;
            }

            _streams.Remove((@namespace, id));
        }

        stream.Fail(new OperationCanceledException());
    }

    private void Remove(string @namespace, string id, ClientStream stream)
    {
        lock (_gate)
        {
            if (_streams.TryGetValue((@namespace, id), out var found) && found == stream)
            {
                _streams.Remove((@namespace, id));
            }

            if (--_open[@namespace] == 0)
            {
                _open.Remove(@namespace);
            }
        }
    }

    private sealed class Entry(StreamTable table, string @namespace, string id, ClientStream stream) : IDisposable
    {
        public void Dispose() => table.Remove(@namespace, id, stream);
    }
}
