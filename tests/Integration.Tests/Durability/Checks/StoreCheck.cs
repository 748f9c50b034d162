namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>Compares what a root has with what may be expected of it.</summary>
internal sealed class StoreCheck(StoreView view, string blobsDirectory, Expectations expected)
{
    private const string ContentPrefix = "content:";

    private readonly BlobFiles _blobs = new(blobsDirectory);
    private readonly List<Finding> _findings = [];

    /// <summary>All that is wrong.</summary>
    public IReadOnlyList<Finding> Run()
    {
        Names();
        Leases();
        Blobs();
        Images();
        Snapshots();
        return _findings;
    }

    private void Names()
    {
        var seen = view.Rows();
        foreach (var key in expected.Keys.Union(seen.Keys))
        {
            var (now, allowed) = (seen.GetValueOrDefault(key), expected[key]);
            if (!allowed.Contains(now))
            {
                var never = allowed.All(value => value is null);
                Add(
                    never ? FindingKind.Returned : FindingKind.LostCommit,
                    $"{key} is {now ?? "not there"}, and was {string.Join(" or ", allowed.Select(value => value ?? "not there"))}");
            }
        }
    }

    private void Leases()
    {
        foreach (var (key, lease) in view.Leases)
        {
            var ns = Namespace(key);
            var held = lease.Resources.Where(one => one.StartsWith(ContentPrefix, StringComparison.Ordinal));
            foreach (var digest in held.Select(one => one[ContentPrefix.Length..]))
            {
                if (!view.Content.ContainsKey(ns + digest) && !expected.RemovedBlobs.Contains(ns + digest))
                {
                    Add(FindingKind.Dangling, $"the lease {key} holds {digest}, which is not there");
                }
            }
        }
    }

    private void Blobs()
    {
        foreach (var (key, row) in view.Content)
        {
            if (_blobs.Look(key[Namespace(key).Length..]) is not { } file)
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
            var ns = Namespace(key);
            if (!view.Content.ContainsKey(ns + image.Target) || _blobs.Look(image.Target)?.Digest != image.Target)
            {
                if (!expected.RemovedBlobs.Contains(ns + image.Target))
                {
                    Add(FindingKind.Dangling, $"the image {key} has no manifest {image.Target}");
                }

                continue;
            }

            foreach (var (digest, size) in _blobs.ReferencesOf(image.Target))
            {
                if (!expected.RemovedBlobs.Contains(ns + digest) && (!view.Content.TryGetValue(ns + digest, out var row) || row.Size != size))
                {
                    Add(FindingKind.Dangling, $"the image {key} has no {digest} of {size} bytes");
                }
            }
        }
    }

    private void Snapshots()
    {
        foreach (var key in expected.Snapshots.Where(key => !view.Snapshots.ContainsKey(key)))
        {
            Add(FindingKind.LostCommit, $"the snapshot {key} is not there");
        }

        foreach (var (key, snapshot) in view.Snapshots.Where(pair => pair.Value.Parent is not null))
        {
            if (!view.Snapshots.TryGetValue(Namespace(key) + snapshot.Parent, out var found)
                || !found.Kind.Equals("committed", StringComparison.OrdinalIgnoreCase))
            {
                Add(FindingKind.Dangling, $"the snapshot {key} has no parent {snapshot.Parent}");
            }
        }
    }

    private static string Namespace(string key) => key[..(key.IndexOf(' ', StringComparison.Ordinal) + 1)];

    private void Add(FindingKind kind, string text) => _findings.Add(new Finding(kind, text));
}
