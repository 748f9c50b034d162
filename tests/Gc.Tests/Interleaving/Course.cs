using System.Text;
using ImageStore.Gc.Tests.Support;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Leases;

namespace ImageStore.Gc.Tests.Interleaving;

/// <summary>Takes the same steps at the model and at the store, and compares.</summary>
internal sealed class Course(CollectedRoot root, IReadOnlyList<string> namespaces, IReadOnlyList<ISnapshotter> snapshotters)
{
    public const int Blobs = 5;
    public const int Snapshots = 3;
    public const int Actives = 2;
    public const int Images = 2;
    public const int Leases = 2;
    public const int UsedHours = 24;
    private const int AWhile = 10;
    private const int Hours = 6;
    private const int Jump = 5000;
    private const string Snapshotter = "native";
    private const string Condition = "containerd.io/gc.cond.snapshot.native";

    private readonly Model _model = new();
    private readonly DateTimeOffset _began = root.Time.GetUtcNow();

    public async Task DoAsync(Step step)
    {
        var ns = step.Ns;
        var (blob, other) = (new Node(ns, NodeKind.Blob, step.A % Blobs), new Node(ns, NodeKind.Blob, step.B % Blobs));
        var (image, snapshot) = (new Node(ns, NodeKind.Image, step.B % Images), new Node(ns, NodeKind.Snapshot, step.B % Snapshots));
        var active = new Node(ns, NodeKind.Active, step.A % Actives);
        var slot = (ns, step.B % Leases);
        var lease = _model.Leases.GetValueOrDefault(slot) is { } held && !_model.IsOver(held) ? held : null;
        var (thing, used) = (_model.Find(blob), _model.Find(snapshot));
        switch (step.Act)
        {
            case Act.Commit:
                await PutAsync(blob, null);
                break;
            case Act.CommitLeased when lease is not null:
                await PutAsync(blob, lease.Real);
                lease.Holds.Add(blob);
                break;
            case Act.Refer when thing is not null:
                await LabelAsync(blob, $"containerd.io/gc.ref.content.{other.Index}", other.Name);
                thing.Refers.Add(other);
                break;
            case Act.ReferToSnapshot when thing is not null:
                await LabelAsync(blob, $"containerd.io/gc.ref.snapshot.{Snapshotter}/{snapshot.Index}", snapshot.Name);
                thing.Refers.Add(snapshot);
                break;
            case Act.ReferBack when thing is not null:
                await LabelAsync(blob, $"containerd.io/gc.bref.content.{other.Index}", other.Name);
                thing.RefersBack.Add(other);
                break;
            case Act.ReferBackToSnapshot when thing is not null:
                await LabelAsync(blob, $"containerd.io/gc.bref.snapshot.{Snapshotter}/{snapshot.Index}", snapshot.Name);
                thing.RefersBack.Add(snapshot);
                break;
            case Act.KeepWhileUsed when thing is not null:
                await LabelAsync(blob, Condition, $"usedat<{UsedHours}h|{snapshot.Name}");
                thing.WhileUsed = snapshot;
                break;
            case Act.ForgetLabels when thing is not null:
                await ForgetAsync(blob, thing);
                break;
            case Act.Root when thing is not null:
                await LabelAsync(blob, Labels.Root, "x");
                thing.Rooted = true;
                break;
            case Act.Tag or Act.TagForAWhile:
                await TagAsync(image, blob, step.Act == Act.Tag ? null : _model.Wall + AWhile);
                break;
            case Act.Pin when _model.Find(image) is { } pinned:
                pinned.Pinned = true;
                await TagAsync(image, pinned.Refers.Single(), pinned.EndsAt);
                break;
            case Act.Untag when _model.Things.Remove(image):
                await root.Root.Images(namespaces[ns]).RemoveAsync(image.Name, default);
                break;
            case Act.Lease or Act.LeaseFlat or Act.LeaseForAWhile when !_model.Leases.ContainsKey(slot):
                await LeaseAsync(slot, step.Act == Act.LeaseFlat, step.Act == Act.LeaseForAWhile);
                break;
            case Act.LeaseBlob when lease is not null:
                await HoldAsync(lease, "content", blob);
                break;
            case Act.LeaseSnapshot when lease is not null:
                await HoldAsync(lease, $"snapshots/{Snapshotter}", snapshot with { Index = step.A % Snapshots });
                break;
            case Act.LeaseImage when lease is not null:
                await HoldAsync(lease, "images", image);
                break;
            case Act.EndLease when _model.Leases.Remove(slot):
                await Manager(ns).DeleteAsync(LeaseId(slot.Item2), default);
                break;
            case Act.Prepare when _model.Find(active) is null:
                await snapshotters[ns].PrepareAsync(active.Name, used is null ? null : snapshot.Name, Labels.None, default);
                _model.Things[active] = new Thing { Parent = used is null ? null : snapshot };
                break;
            case Act.CommitSnapshot when used is null && _model.Things.Remove(active, out var written):
                await snapshotters[ns].CommitAsync(snapshot.Name, active.Name, Labels.None, default);
                _model.Things[snapshot] = new Thing { Parent = written.Parent };
                break;
            case Act.RemoveSnapshot when _model.Things.Remove(active):
                await snapshotters[ns].RemoveAsync(active.Name, default);
                break;
            case Act.RemoveSnapshot when used is not null && !_model.HasChildren(snapshot):
                await snapshotters[ns].RemoveAsync(snapshot.Name, default);
                _model.Things.Remove(snapshot);
                break;
            case Act.UseSnapshot when used is not null:
                used.UsedAt = _model.Wall;
                await LabelAsync(snapshot, used);
                break;
            case Act.RootSnapshot when used is not null:
                used.Rooted = !used.Rooted;
                await LabelAsync(snapshot, used);
                break;
            case Act.PassTime:
                root.Time.Advance(TimeSpan.FromHours(Hours));
                (_model.Uptime, _model.Wall) = (_model.Uptime + Hours, _model.Wall + Hours);
                break;
            case Act.SetClock:
                var by = step.A % 2 == 0 ? Jump : -Jump;
                root.Time.Set(TimeSpan.FromHours(by));
                _model.Wall += by;
                break;
        }
    }

    /// <summary>What is reachable has to be there, with its file; of the rest, the model learns what has gone.</summary>
    public async Task CheckAsync()
    {
        var there = await ThereAsync();
        foreach (var node in _model.Reachable())
        {
            Assert.True(there.Contains(node), $"{namespaces[node.Ns]}: {node.Kind} {node.Index} is lost");
            Assert.True(node.Kind != NodeKind.Blob || File.Exists(root.FileOf(node.Text)), $"{node.Text} has no file");
        }

        foreach (var gone in _model.Things.Keys.Except(there).ToList())
        {
            _model.Things.Remove(gone);
        }

        foreach (var ((ns, index), lease) in _model.Leases.ToList())
        {
            if (!Manager(ns).List().Any(one => one.Id == LeaseId(index)))
            {
                Assert.True(_model.IsOver(lease), $"lease {index} is lost");
                _model.Leases.Remove((ns, index));
            }
        }
    }

    /// <summary>After the last collection there is nothing.</summary>
    public async Task CheckNothingAsync()
    {
        Assert.Empty(await ThereAsync());
        Assert.All(Enumerable.Range(0, Blobs), blob => Assert.False(File.Exists(root.FileOf(new Node(0, NodeKind.Blob, blob).Text))));
    }

    /// <summary>After a collection that nobody disturbed, there is what is reachable and nothing else.</summary>
    public async Task CheckExactlyAsync()
    {
        await CheckAsync();
        Assert.Equal(Order(_model.Reachable()), Order(await ThereAsync()));
        Assert.DoesNotContain(_model.Leases.Values, _model.IsOver);
        Assert.Equal(
            Enumerable.Range(0, Blobs).Where(blob => Enumerable.Range(0, namespaces.Count).Any(ns => _model.Find(new Node(ns, NodeKind.Blob, blob)) is not null)),
            Enumerable.Range(0, Blobs).Where(blob => File.Exists(root.FileOf(new Node(0, NodeKind.Blob, blob).Text))));

        static IEnumerable<Node> Order(IEnumerable<Node> nodes) => nodes.OrderBy(node => (node.Ns, node.Kind, node.Index));
    }

    /// <summary>Lets go of all that there is, also after a course that the store and the model took differently.</summary>
    public async Task EndAsync()
    {
        for (var ns = 0; ns < namespaces.Count; ns++)
        {
            foreach (var lease in Manager(ns).List())
            {
                await Manager(ns).DeleteAsync(lease.Id, default);
            }

            foreach (var image in root.Root.Images(namespaces[ns]).List())
            {
                await root.Root.Images(namespaces[ns]).RemoveAsync(image.Name, default);
            }

            foreach (var snapshot in await snapshotters[ns].WalkAsync(default))
            {
                await (snapshot.Kind == SnapshotKind.Active
                    ? snapshotters[ns].RemoveAsync(snapshot.Name, default)
                    : snapshotters[ns].UpdateLabelsAsync(snapshot.Name, Labels.None, default));
            }

            foreach (var blob in Content(ns).List())
            {
                await Content(ns).UpdateLabelsAsync(blob.Digest, Nothing(blob.Labels), default);
            }
        }

        root.Time.Set(_began.AddHours(_model.Uptime) - root.Time.GetUtcNow());
    }

    private static Dictionary<string, string> Nothing(IReadOnlyDictionary<string, string> labels) => labels.ToDictionary(label => label.Key, _ => string.Empty);

    private static string LeaseId(int index) => $"lease{index}";

    private LeaseManager Manager(int ns) => root.Root.Leases(namespaces[ns]);

    private IContentStore Content(int ns) => root.Root.Content(namespaces[ns]);

    private async Task<HashSet<Node>> ThereAsync()
    {
        HashSet<Node> there = [];
        for (var ns = 0; ns < namespaces.Count; ns++)
        {
            var names = Content(ns).List().Select(blob => blob.Digest.ToString())
                .Concat((await snapshotters[ns].WalkAsync(default)).Select(snapshot => snapshot.Name))
                .Concat(root.Root.Images(namespaces[ns]).List().Select(image => image.Name)).ToHashSet(StringComparer.Ordinal);
            there.UnionWith(All(ns).Where(node => names.Contains(node.Name)));
        }

        return there;
    }

    private static IEnumerable<Node> All(int ns)
    {
        (NodeKind Kind, int Count)[] kinds = [(NodeKind.Blob, Blobs), (NodeKind.Snapshot, Snapshots), (NodeKind.Active, Actives), (NodeKind.Image, Images)];
        return kinds.SelectMany(kind => Enumerable.Range(0, kind.Count).Select(index => new Node(ns, kind.Kind, index)));
    }

    private async Task PutAsync(Node blob, Store.Leases.Lease? lease)
    {
        await Content(blob.Ns).PutAsync(
            $"blob-{blob.Index}", CollectedRoot.Describe(blob.Text), Encoding.UTF8.GetBytes(blob.Text), Labels.None, lease, default);
        _model.Things.TryAdd(blob, new Thing());
    }

    private async Task TagAsync(Node image, Node blob, int? endsAt)
    {
        var pinned = _model.Find(image)?.Pinned == true;
        var labels = new Dictionary<string, string>
        {
            [Labels.Expire] = endsAt is { } end ? root.Time.GetUtcNow().AddHours(end - _model.Wall).ToString("O") : string.Empty,
            [Labels.Pinned] = pinned ? "pinned" : string.Empty,
        };
        await root.Root.Images(namespaces[image.Ns]).PutAsync(image.Name, CollectedRoot.Describe(blob.Text), labels, default);
        _model.Things[image] = new Thing { EndsAt = endsAt, Pinned = pinned, Refers = { blob } };
    }

    private async Task LeaseAsync((int Ns, int Index) slot, bool flat, bool brief)
    {
        var labels = flat ? new Dictionary<string, string> { [Labels.Flat] = "x" } : [];
        var real = await Manager(slot.Ns).CreateAsync(LeaseId(slot.Index), brief ? TimeSpan.FromHours(AWhile) : null, labels, default);
        _model.Leases[slot] = new Lease(real, flat, brief ? _model.Uptime + AWhile : null);
    }

    private async Task HoldAsync(Lease lease, string type, Node node)
    {
        await Manager(node.Ns).AddAsync(lease.Real, new LeaseResource(type, node.Name), default);
        lease.Holds.Add(node);
    }

    private async Task LabelAsync(Node blob, string key, string value) =>
        await Content(blob.Ns).UpdateLabelsAsync(CollectedRoot.DigestOf(blob.Text), new Dictionary<string, string> { [key] = value }, default);

    private async Task LabelAsync(Node snapshot, Thing thing)
    {
        Dictionary<string, string> labels = thing.Rooted ? new() { [Labels.Root] = "x" } : [];
        if (thing.UsedAt is { } at)
        {
            labels[Labels.UsedAt] = root.Time.GetUtcNow().AddHours(at - _model.Wall).ToString("O");
        }

        await snapshotters[snapshot.Ns].UpdateLabelsAsync(snapshot.Name, labels, default);
    }

    private async Task ForgetAsync(Node blob, Thing thing)
    {
        var digest = CollectedRoot.DigestOf(blob.Text);
        await Content(blob.Ns).UpdateLabelsAsync(digest, Nothing(Content(blob.Ns).Find(digest)!.Labels), default);
        (thing.Rooted, thing.WhileUsed) = (false, null);
        thing.Refers.Clear();
        thing.RefersBack.Clear();
    }
}
