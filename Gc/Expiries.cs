using ImageStore.Store;
using ImageStore.Store.Resources;

namespace ImageStore.Gc;

/// <summary>When leases and images end by themselves.</summary>
public static class Expiries
{
    /// <summary>How long it is until the next one does; null when none ever does. What has ended and is not collected yet gives nothing or less.</summary>
    /// <param name="root">The root.</param>
    /// <param name="collected">How long ago a collection began last; null when none did. What had ended by then is kept by something
    /// else, and no reason for another.</param>
    /// <param name="time">The clock.</param>
    public static TimeSpan? TimeToNext(StoreRoot root, TimeSpan? collected, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(root);
        var (rows, now) = (root.Database.View(), Moment.Now(time));
        TimeSpan? next = null;
        foreach (var table in root.Resources.Where(table => table.Kind is ResourceKind.Lease or ResourceKind.Image))
        {
            foreach (var row in table.Namespaces(rows).SelectMany(ns => table.All(rows, ns)))
            {
                if (Labels.Time(row.Labels, Labels.Expire) is { } at && !IsPinned(row) && now.TimeTo(at, row.Ends) is var left && !(left >= next) && !(left < -collected))
                {
                    next = left;
                }
            }
        }

        return next;
    }

    // An image that is pinned stays, whatever its label says.
    private static bool IsPinned(ResourceRow row) => row.Resource.Kind == ResourceKind.Image && row.Labels.ContainsKey(Labels.Pinned);
}
