namespace ImageStore.Snapshotters.Snapshots;

/// <summary>What must hold of rows before others are written; each is asked again inside of the transaction that relies on it.</summary>
internal static class SnapshotRules
{
    /// <summary>The row, if it is an active snapshot's.</summary>
    public static SnapshotRow RequireActive(SnapshotRow? row, string key) => row switch
    {
        null => throw SnapshotErrors.NotFound(key),
        { Kind: SnapshotKind.Active } => row,
        _ => throw SnapshotErrors.WrongKind(key, row.Kind, "active"),
    };

    /// <summary>Nothing has the name.</summary>
    public static void RequireFree(SnapshotCatalogue.Rows rows, string name)
    {
        if (rows.Get(name) is not null)
        {
            throw SnapshotErrors.AlreadyExists(name);
        }
    }

    /// <summary>What something is to stand on is there and committed.</summary>
    public static void RequireParent(SnapshotCatalogue.Rows rows, string? parent)
    {
        if (parent is not null && rows.Get(parent) is not { Kind: SnapshotKind.Committed })
        {
            throw SnapshotErrors.ParentNotFound(parent);
        }
    }

    /// <summary>Nothing stands on the snapshot.</summary>
    public static void RequireChildless(SnapshotCatalogue.Rows rows, SnapshotRow row, string key)
    {
        if (row.Kind == SnapshotKind.Committed
            && rows.List().FirstOrDefault(pair => pair.Value.Parent == key) is { Key: { } child })
        {
            throw SnapshotErrors.HasChildren(key, child);
        }
    }
}
