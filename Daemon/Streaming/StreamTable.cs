using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Streaming;

/// <summary>The streams that clients have opened, until a call takes them.</summary>
internal sealed class StreamTable
{
    private const int MaxIdLength = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<StreamName, ClientStream> _streams = [];
    private readonly Dictionary<(string Namespace, uint? User), int> _open = [];

    /// <summary>Has calls find a stream.</summary>
    /// <returns>Disposed when the client's call ends; only then does it no longer count.</returns>
    /// <exception cref="ImageStoreException">The name is malformed (<see cref="ErrorKind.InvalidArgument"/>) or taken
    /// (<see cref="ErrorKind.AlreadyExists"/>), or there are too many (<see cref="ErrorKind.LimitExceeded"/>).</exception>
    public IDisposable Add(StreamName name, ClientStream stream)
    {
        if (name.Id.Length is 0 or > MaxIdLength)
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, $"A stream's name has 1 to {MaxIdLength} characters, not {name.Id.Length}.");
        }

        lock (_gate)
        {
            var open = _open.GetValueOrDefault(name.Owner);
            if (open >= DaemonLimits.StreamsOfAUser)
            {
                throw new ImageStoreException(
                    ErrorKind.LimitExceeded, $"This user has {open} streams open in the namespace {name.Namespace}.", "Let transfers end before others are begun.");
            }

            if (!_streams.TryAdd(name, stream))
            {
                throw new ImageStoreException(ErrorKind.AlreadyExists, $"There is a stream {Printable.Of(name.Id)}.");
            }

            _open[name.Owner] = open + 1;
        }

        return new Entry(this, name, stream);
    }

    /// <summary>Takes a stream: nobody else finds it any more.</summary>
    /// <exception cref="ImageStoreException">There is none of that name (<see cref="ErrorKind.NotFound"/>).</exception>
    public ClientStream Take(StreamName name)
    {
        lock (_gate)
        {
            return _streams.Remove(name, out var stream)
                ? stream
                : throw new ImageStoreException(
                    ErrorKind.NotFound, $"There is no stream {Printable.Of(name.Id)}.", "Open it before the call that uses it; one call takes it.");
        }
    }

    /// <summary>Ends a stream that nobody has taken.</summary>
    public void Abandon(StreamName name, ClientStream stream)
    {
        lock (_gate)
        {
            if (!_streams.TryGetValue(name, out var found) || found != stream)
            {
                return;
            }

            _streams.Remove(name);
        }

        stream.Fail(new OperationCanceledException());
    }

    private void Remove(StreamName name, ClientStream stream)
    {
        lock (_gate)
        {
            if (_streams.TryGetValue(name, out var found) && found == stream)
            {
                _streams.Remove(name);
            }

            if (--_open[name.Owner] == 0)
            {
                _open.Remove(name.Owner);
            }
        }
    }

    private sealed class Entry(StreamTable table, StreamName name, ClientStream stream) : IDisposable
    {
        public void Dispose() => table.Remove(name, stream);
    }
}
