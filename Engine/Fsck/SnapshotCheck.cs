using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Engine.Fsck;

/// <summary>Snapshots against their folders and their parents, in both directions.</summary>
internal sealed class SnapshotCheck(StoreRoot root, IMetadataReader rows, bool isQuick)
{
    private readonly IResourceTable _table = root.Resources.Single(table => table.Kind == ResourceKind.Snapshot);

    public IEnumerable<Fault> Run(CancellationToken cancellationToken)
    {
        var places = SnapshotPlaces.All(root.Directory, rows);
        var damage = places.Where(place => place.IsThere() && place.IsImage)
            .Select(place => (place, Reason: LayerImages.FaultOf(place, !isQuick, cancellationToken)))
            .Where(one => one.Reason is not null).ToDictionary(one => one.place, one => one.Reason!);
        var sound = places.Where(place => place.IsThere() && !damage.ContainsKey(place))
            .ToDictionary(place => (place.Namespace, place.Snapshotter, place.Name));
        foreach (var place in places)
        {
            if (damage.TryGetValue(place, out var reason))
            {
                yield return Damaged(place, reason);
            }
            else if (!sound.ContainsKey((place.Namespace, place.Snapshotter, place.Name)))
            {
                yield return Gone(place);
            }
            else if (place.Parent is { } parent && !sound.ContainsKey((place.Namespace, place.Snapshotter, parent)))
            {
                yield return Orphaned(place, parent);
            }
        }

        var named = places.Select(place => place.Directory).ToHashSet(StringComparer.Ordinal);
        foreach (var folder in SnapshotPlaces.Folders(root.Directory).Where(folder => !named.Contains(folder)))
        {
            yield return new Fault(new Finding(
                FindingKind.SnapshotUnclaimed, IsDamage: false, null, Path.GetRelativePath(root.Directory, folder), "no snapshot has this folder")
            {
                Remedy = "The next command that unpacks or mounts removes it.",
            });
        }
    }

    private Fault Gone(SnapshotPlace place) => new(
        new Finding(FindingKind.SnapshotMissing, IsDamage: true, place.Namespace, NameOf(place), $"its {(place.IsImage ? "image in" : "folder")} {Path.GetRelativePath(root.Directory, place.Directory)} is not there")
        {
            Remedy = "'imagestore fsck --repair' forgets it, so that the next pull or mount unpacks it again.",
        },
        async token =>
        {
            root.Quarantine.Note($"snapshot-{place.Namespace}", $"the snapshot {NameOf(place)} of {place.Namespace} has no folder", NameOf(place));
            await ForgetAsync(place, token).ConfigureAwait(false);
            return "forgotten, to be unpacked again";
        });

    private Fault Damaged(SnapshotPlace place, string reason) => new(
        new Finding(FindingKind.SnapshotDamaged, IsDamage: true, place.Namespace, NameOf(place), reason)
        {
            Remedy = "'imagestore fsck --repair' puts it aside, so that the next pull or mount unpacks it again.",
        },
        token => PutAsideAsync(place, "is damaged", token));

    private Fault Orphaned(SnapshotPlace place, string parent)
    {
        var finding = new Finding(
            FindingKind.SnapshotOrphaned, IsDamage: true, place.Namespace, NameOf(place), $"its parent {Printable.Of(parent)} is not there");
        return place.IsCommitted
            ? new Fault(
                finding with { Remedy = "'imagestore fsck --repair' puts it aside, so that the next pull or mount unpacks it again." },
                token => PutAsideAsync(place, $"had lost its parent {parent}", token))
            // What somebody wrote onto it is nowhere else.
            : new Fault(finding with { Remedy = "Pull or unpack its image again: then its parent is there." });
    }

    private async Task<string?> PutAsideAsync(SnapshotPlace place, string why, CancellationToken cancellationToken)
    {
        await ForgetAsync(place, cancellationToken).ConfigureAwait(false);
        var aside = root.Quarantine.Take(
            place.Directory, $"snapshot-{Path.GetFileName(place.Directory)}", $"the snapshot {NameOf(place)} of {place.Namespace} {why}");
        return $"put aside as {Path.GetFileName(aside)}, to be unpacked again";
    }

    private Task<string?> ForgetAsync(SnapshotPlace place, CancellationToken cancellationToken) => root.Database.CommitAsync(
        tx => _table.Remove(tx, new Resource(ResourceKind.Snapshot, place.Namespace, NameOf(place))), cancellationToken);

    private static string NameOf(SnapshotPlace place) => $"{place.Snapshotter}/{place.Name}";
}
