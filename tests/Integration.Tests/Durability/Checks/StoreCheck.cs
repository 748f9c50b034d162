namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>Compares what a root has with what was acknowledged.</summary>
/// <remarks>
/// Between the acknowledgements <c>before</c> and <c>after</c> each fact may be as in either; what is the same in both must be so.
/// </remarks>
internal sealed class StoreCheck(StoreView view, string blobsDirectory)
{
    private readonly BlobFiles _blobs = new(blobsDirectory);
    private readonly List<Finding> _findings = [];

    /// <summary>Blobs that a user removed from under images, with the namespace: these are missing by right.</summary>
    public IReadOnlySet<string> Removed { get; init; } = new HashSet<string>();

    /// <summary>All that is wrong.</summary>
    public IReadOnlyList<Finding> Run(Facts before, Facts after, bool sameBoot)
    {
        Names(before, after);
        Leases(before, after);
        Blobs();
        Images();
        Snapshots(sameBoot ? before.Snapshots.Intersect(after.Snapshots) : before.SyncedSnapshots.Intersect(after.SyncedSnapshots));
        return _findings;
    }

    private void Names(Facts before, Facts after)
    {
        foreach (var key in before.Images.Keys.Union(after.Images.Keys).Union(view.Images.Keys))
        {
            var seen = view.Images.TryGetValue(key, out var image) ? image.Target : null;
            var (old, now) = (before.Images.GetValueOrDefault(key), after.Images.GetValueOrDefault(key));
            Expect(seen, [old, now], $"the image {key}");
            if (seen is not null && seen == old && seen == now)
            {
                var pinned = image.Labels.ContainsKey(StoreView.PinLabel);
                if (pinned != before.Pinned.Contains(key) && pinned != after.Pinned.Contains(key))
                {
                    Add(FindingKind.LostCommit, $"the image {key} is {(pinned ? string.Empty : "not ")}pinned");
                }
            }
        }
    }

    private void Expect(string? seen, string?[] allowed, string what)
    {
        if (!allowed.Contains(seen))
        {
            var never = allowed.All(one => one is null);
            Add(
                never ? FindingKind.Returned : FindingKind.LostCommit,
                $"{what} is {seen ?? "not there"}, and was {string.Join(" or ", allowed.Distinct().Select(one => one ?? "not there"))}");
        }
    }

    private void Leases(Facts before, Facts after)
    {
        foreach (var key in before.Leases.Keys.Union(after.Leases.Keys).Union(view.Leases.Keys))
        {
            var (old, now) = (before.Leases.GetValueOrDefault(key), after.Leases.GetValueOrDefault(key));
            if (!view.Leases.TryGetValue(key, out var lease))
            {
                if (old is not null && now is not null)
                {
                    Add(FindingKind.LostCommit, $"the lease {key} is not there");
                }

                continue;
            }

            if (old is null && now is null)
            {
                var id = key[(key.IndexOf(' ', StringComparison.Ordinal) + 1)..];
                if (!WorkingLease.Is(id) || !lease.Labels.ContainsKey(StoreView.ExpiryLabel))
                {
                    Add(FindingKind.Returned, $"the lease {key} is there");
                }

                continue;
            }

            old ??= [];
            now ??= [];
            foreach (var resource in old.Intersect(now).Except(lease.Resources))
            {
                Add(FindingKind.LostCommit, $"the lease {key} does not hold {resource}");
            }

            foreach (var resource in lease.Resources.Except(old.Union(now)))
            {
                Add(FindingKind.Returned, $"the lease {key} holds {resource}");
            }

            Held(key, lease.Resources);
        }
    }

    private void Held(string lease, IEnumerable<string> resources)
    {
        const string Content = "content:";
        var ns = lease[..(lease.IndexOf(' ', StringComparison.Ordinal) + 1)];
        foreach (var digest in resources.Where(one => one.StartsWith(Content, StringComparison.Ordinal)).Select(one => one[Content.Length..]))
        {
            if (!view.Content.ContainsKey(ns + digest) && !Removed.Contains(ns + digest))
            {
                Add(FindingKind.Dangling, $"the lease {lease} holds {digest}, which is not there");
            }
        }
    }

    private void Blobs()
    {
        foreach (var (key, row) in view.Content)
        {
            if (_blobs.Look(key[(key.IndexOf(' ', StringComparison.Ordinal) + 1)..]) is not { } file)
            {
                Add(FindingKind.Dangling, $"the blob {key} has no file");
            }
            else if (file.Size != row.Size)
            {
                Add(FindingKind.WrongBlob, $"the blob {key} has {row.Size} bytes, its file {file.Size}");
            }
        }

        // Those that no namespace sees too: a pull takes what has the right name and size.
        foreach (var digest in _blobs.All)
        {
            if (_blobs.Look(digest) is { } file && file.Digest != digest)
            {
                Add(FindingKind.WrongBlob, $"the file of {digest} holds {file.Size} bytes of {file.Digest}");
            }
        }
    }

    private void Images()
    {
        foreach (var (key, image) in view.Images)
        {
            var ns = key[..(key.IndexOf(' ', StringComparison.Ordinal) + 1)];
            if (!view.Content.ContainsKey(ns + image.Target) || _blobs.Look(image.Target)?.Digest != image.Target)
            {
                if (!Removed.Contains(ns + image.Target))
                {
                    Add(FindingKind.Dangling, $"the image {key} has no manifest {image.Target}");
                }

                continue;
            }

            foreach (var (digest, size) in _blobs.ReferencesOf(image.Target))
            {
                if (!Removed.Contains(ns + digest) && (!view.Content.TryGetValue(ns + digest, out var row) || row.Size != size))
                {
                    Add(FindingKind.Dangling, $"the image {key} has no {digest} of {size} bytes");
                }
            }
        }
    }

    private void Snapshots(IEnumerable<string> expected)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return;
        }

        foreach (var key in expected.Where(key => !view.Snapshots.ContainsKey(key)))
        {
            Add(FindingKind.LostCommit, $"the snapshot {key} is not there");
        }

        foreach (var (key, snapshot) in view.Snapshots.Where(pair => pair.Value.Parent is not null))
        {
            var parent = key[..(key.IndexOf(' ', StringComparison.Ordinal) + 1)] + snapshot.Parent;
            if (!view.Snapshots.TryGetValue(parent, out var found) || !found.Kind.Equals("committed", StringComparison.OrdinalIgnoreCase))
            {
                Add(FindingKind.Dangling, $"the snapshot {key} has no parent {snapshot.Parent}");
            }
        }
    }

    private void Add(FindingKind kind, string text) => _findings.Add(new Finding(kind, text));
}
