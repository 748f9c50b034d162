namespace ImageStore.Store.Namespaces;

/// <summary>Bytes of a quota that are set aside for something under way. Its owner disposes it, once what it was for is committed or given up.</summary>
public sealed class QuotaReservation : IDisposable
{
    private readonly QuotaKeeper _keeper;
    private long _bytes;

    internal QuotaReservation(QuotaKeeper keeper, string @namespace, string what) => (_keeper, Namespace, What) = (keeper, @namespace, what);

    internal string Namespace { get; }

    internal string What { get; }

    /// <summary>Sets more aside where it turns out to need more; less changes nothing.</summary>
    /// <exception cref="Errors.ImageStoreException">The quota does not have it (<see cref="Errors.ErrorKind.NoSpace"/>).</exception>
    public void GrowTo(long bytes)
    {
        if (bytes > _bytes)
        {
            _keeper.Change(this, _bytes, bytes);
            _bytes = bytes;
        }
    }

    /// <summary>Gives everything back.</summary>
    public void Dispose()
    {
        if (_bytes > 0)
        {
            _keeper.Change(this, _bytes, 0);
            _bytes = 0;
        }
    }
}
