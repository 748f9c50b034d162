namespace ImageStore.Store.Metadata;

/// <summary>The keys of all rows that transactions have changed since it was begun.</summary>
/// <remarks>Only bodies of transactions may look at it: they run on the thread that writes it.</remarks>
internal sealed class MetadataWatch
{
    private HashSet<(string Table, string Key)> _changed = [];

    /// <summary>Notes what a transaction changes, before it is known whether the disk takes it.</summary>
    public void Note(MetadataChanges changes)
    {
        foreach (var (table, rows) in changes)
        {
            foreach (var key in rows.Keys)
            {
                _changed.Add((table, key));
            }
        }
    }

    /// <summary>What was changed since the last call.</summary>
    public IReadOnlyCollection<(string Table, string Key)> Take()
    {
        var taken = _changed;
        _changed = [];
        return taken;
    }
}
