using CsCheck;
using ImageStore.Gc.Tests.Support;
using ImageStore.Store;
using ImageStore.Store.Leases;

namespace ImageStore.Gc.Tests;

/// <summary>Others commit, name, label and lease between the steps of a collection: what is reachable is never lost, and what is not always goes.</summary>
/// <remarks>A simple model in memory does what the store does; a failing course of steps is shrunk to a short one.</remarks>
public sealed class InterleavingTests
{
    private const int Blobs = 6;
    private const int Images = 3;
    private const int Leases = 2;
    private const int Courses = 3000;

    private static readonly Gen<Step> s_step = Gen.Select(
        Gen.Enum<Act>(), Gen.Int[0, Blobs - 1], Gen.Int[0, Blobs - 1], (act, a, b) => new Step(act, a, b));

    private enum Act
    {
        Commit,
        CommitLeased,
        Refer,
        ReferBack,
        ForgetLabels,
        Root,
        Tag,
        Untag,
        Lease,
        LeaseFlat,
        AddToLease,
        EndLease,
        Collect,
    }

    [Fact]
    public async Task Collect_WhileOthersWork_LosesNothingReachable()
    {
        await using var root = await CollectedRoot.OpenAsync();
        root.Collector.Batch = 1;
        s_step.Array[1, 40].Sample(steps => RunAsync(root, steps).GetAwaiter().GetResult(), iter: Courses, threads: 1);
    }

    private static async Task RunAsync(CollectedRoot root, Step[] steps)
    {
        var course = new Course(root);
        try
        {
            for (var i = 0; i < steps.Length; i++)
            {
                if (steps[i].Act != Act.Collect)
                {
                    await course.DoAsync(steps[i]);
                    continue;
                }

                // What follows happens while it collects, a step at a time.
                var (next, last) = (i + 1, Math.Min(steps.Length, i + 1 + steps[i].A));
                var undisturbed = true;
                root.Collector.Between = async () =>
                {
                    course.Check();
                    if (next < last && steps[next].Act != Act.Collect)
                    {
                        undisturbed = false;
                        await course.DoAsync(steps[next++]);
                    }
                };
                await root.Collector.CollectAsync(CancellationToken.None);
                course.Check();
                if (undisturbed)
                {
                    course.CheckExactly();
                }

                i = next - 1;
            }
        }
        finally
        {
            root.Collector.Between = null;
            await course.EndAsync();
        }

        await root.Collector.CollectAsync(CancellationToken.None);
        Assert.Empty(root.Content.List());
    }

    private sealed record Step(Act Act, int A, int B);

    /// <summary>The model, and the same steps at the store.</summary>
    private sealed class Course(CollectedRoot root)
    {
        private readonly bool[] _there = new bool[Blobs];
        private readonly bool[] _rooted = new bool[Blobs];
        private readonly HashSet<int>[] _refers = [.. Enumerable.Range(0, Blobs).Select(_ => new HashSet<int>())];
        private readonly HashSet<int>[] _back = [.. Enumerable.Range(0, Blobs).Select(_ => new HashSet<int>())];
        private readonly int?[] _images = new int?[Images];
        private readonly (Lease Lease, bool Flat, HashSet<int> Holds)?[] _leases = new (Lease, bool, HashSet<int>)?[Leases];

        public async Task DoAsync(Step step)
        {
            var (a, b, image, lease) = (step.A, step.B, step.B % Images, step.B % Leases);
            switch (step.Act)
            {
                case Act.Commit:
                    await root.BlobAsync(Text(a));
                    Appear(a);
                    break;
                case Act.CommitLeased when _leases[lease] is { } held:
                    await Store.Content.ContentStoreExtensions.PutAsync(
                        root.Content, $"blob-{a}", CollectedRoot.Describe(Text(a)), System.Text.Encoding.UTF8.GetBytes(Text(a)), Labels.None, held.Lease, default);
                    Appear(a);
                    held.Holds.Add(a);
                    break;
                case Act.Refer when _there[a]:
                    await root.LabelAsync(Text(a), $"containerd.io/gc.ref.content.{b}", Digest(b));
                    _refers[a].Add(b);
                    break;
                case Act.ReferBack when _there[a]:
                    await root.LabelAsync(Text(a), $"containerd.io/gc.bref.content.{b}", Digest(b));
                    _back[a].Add(b);
                    break;
                case Act.ForgetLabels when _there[a]:
                    await ForgetAsync(a);
                    break;
                case Act.Root when _there[a]:
                    await root.LabelAsync(Text(a), Labels.Root, "x");
                    _rooted[a] = true;
                    break;
                case Act.Tag:
                    await root.ImageAsync($"image{image}", Text(a));
                    _images[image] = a;
                    break;
                case Act.Untag when _images[image] is not null:
                    await root.Root.Images(CollectedRoot.Namespace).RemoveAsync($"image{image}", default);
                    _images[image] = null;
                    break;
                case Act.Lease or Act.LeaseFlat when _leases[lease] is null:
                    var flat = step.Act == Act.LeaseFlat;
                    var labels = flat ? new Dictionary<string, string> { [Labels.Flat] = "x" } : [];
                    _leases[lease] = (await Manager.CreateAsync($"lease{lease}", null, labels, default), flat, []);
                    break;
                case Act.AddToLease when _leases[lease] is { } held:
                    await Manager.AddAsync(held.Lease, new LeaseResource("content", Digest(a)), default);
                    held.Holds.Add(a);
                    break;
                case Act.EndLease when _leases[lease] is not null:
                    await Manager.DeleteAsync($"lease{lease}", default);
                    _leases[lease] = null;
                    break;
            }
        }

        /// <summary>What is reachable has to be there; what has gone was not.</summary>
        public void Check()
        {
            foreach (var blob in Reachable())
            {
                Assert.True(root.Has(Text(blob)) && File.Exists(root.FileOf(Text(blob))), $"blob {blob} is lost");
            }

            for (var blob = 0; blob < Blobs; blob++)
            {
                if (!root.Has(Text(blob)))
                {
                    Vanish(blob);
                }
            }
        }

        public void CheckExactly() => Assert.Equal(Reachable().Order(), Enumerable.Range(0, Blobs).Where(blob => root.Has(Text(blob))));

        public async Task EndAsync()
        {
            for (var i = 0; i < Images; i++)
            {
                await DoAsync(new Step(Act.Untag, 0, i));
            }

            for (var i = 0; i < Leases; i++)
            {
                await DoAsync(new Step(Act.EndLease, 0, i));
            }

            foreach (var blob in Enumerable.Range(0, Blobs).Where(blob => root.Has(Text(blob))))
            {
                await ForgetAsync(blob);
            }
        }

        private LeaseManager Manager => root.Root.Leases(CollectedRoot.Namespace);

        private static string Text(int blob) => $"blob {blob}";

        private static string Digest(int blob) => CollectedRoot.DigestOf(Text(blob)).ToString();

        private void Appear(int blob) => _there[blob] = true;

        private void Vanish(int blob)
        {
            (_there[blob], _rooted[blob]) = (false, false);
            _refers[blob].Clear();
            _back[blob].Clear();
        }

        private async Task ForgetAsync(int blob)
        {
            var labels = Enumerable.Range(0, Blobs)
                .SelectMany(other => (string[])[$"containerd.io/gc.ref.content.{other}", $"containerd.io/gc.bref.content.{other}"])
                .Append(Labels.Root)
                .ToDictionary(label => label, _ => string.Empty);
            await root.Content.UpdateLabelsAsync(CollectedRoot.DigestOf(Text(blob)), labels, default);
            _rooted[blob] = false;
            _refers[blob].Clear();
            _back[blob].Clear();
        }

        private HashSet<int> Reachable()
        {
            HashSet<int> followed = [];
            HashSet<int> flat = [];
            Stack<int> open = new(_images.OfType<int>()
                .Concat(Enumerable.Range(0, Blobs).Where(blob => _rooted[blob]))
                .Concat(_leases.Where(lease => lease is { Flat: false }).SelectMany(lease => lease!.Value.Holds)));
            flat.UnionWith(_leases.Where(lease => lease is { Flat: true }).SelectMany(lease => lease!.Value.Holds).Where(blob => _there[blob]));
            while (open.TryPop(out var blob))
            {
                if (_there[blob] && followed.Add(blob))
                {
                    foreach (var next in _refers[blob].Concat(Enumerable.Range(0, Blobs).Where(other => _back[other].Contains(blob))))
                    {
                        open.Push(next);
                    }
                }
            }

            followed.UnionWith(flat);
            return followed;
        }
    }
}
