namespace ImageStore.Store.Metadata;

/// <summary>Rows with what has changed since.</summary>
internal static class RowMerge
{
    /// <summary><paramref name="rows"/> with <paramref name="changes"/>, both ordered; what is gone is left out.</summary>
    public static List<RowChange> Apply(IReadOnlyList<RowChange> rows, IReadOnlyList<RowChange> changes)
    {
        List<RowChange> result = new(rows.Count + changes.Count);
        var next = 0;
        foreach (var change in changes)
        {
            for (; next < rows.Count && string.CompareOrdinal(rows[next].Key, change.Key) < 0; next++)
            {
                result.Add(rows[next]);
            }

            next += next < rows.Count && rows[next].Key == change.Key ? 1 : 0;
            if (change.Value is not null)
            {
                result.Add(change);
            }
        }

        for (; next < rows.Count; next++)
        {
            result.Add(rows[next]);
        }

        return result;
    }
}
