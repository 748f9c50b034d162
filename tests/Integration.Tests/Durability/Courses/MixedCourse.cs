using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Support;
using ImageStore.Store.Namespaces;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>A course with each command that changes a root.</summary>
internal sealed class MixedCourse
{
    private const string Default = "default";
    private const string Other = "other";
    private const string Copy = "kept.example/copy:1";
    private const string Lease = "keep";
    private const string Erofs = "erofs";
    private const int NotFound = 3;
    private const int AlreadyExists = 4;

    private MixedCourse(IReadOnlyList<Step> steps, IReadOnlyList<(string Namespace, string Name)> mountable) => (Steps, Mountable) = (steps, mountable);

    public IReadOnlyList<Step> Steps { get; }

    /// <summary>Images that are there at the end, to be mounted.</summary>
    public IReadOnlyList<(string Namespace, string Name)> Mountable { get; }

    /// <summary>Makes the images, and the course over them, with or without unpacking.</summary>
    public static async Task<MixedCourse> MakeAsync(RegistryFixture registry, string folder, bool unpack)
    {
        var archive = await TestArchive.MakeAsync(folder);
        var plain = await TestImage.PushAsync(
            registry, Layouts.Random(Path.Combine(folder, "plain"), 2, 4, 3000, seed: 11), "durability-plain");
        var tricky = await TestImage.PushAsync(
            registry, Layouts.Tricky(Path.Combine(folder, "tricky"), "durability"), "durability-tricky");
        var broken = await TestImage.PushAsync(
            registry, Layouts.Random(Path.Combine(folder, "broken"), 3, 3, 20_000, seed: 12), "durability-broken");
        return new MixedCourse(
            [.. All(archive, plain, tricky, broken, unpack)], [(Default, tricky.Name), (Default, Copy), (Other, tricky.Name)]);
    }

    private static IEnumerable<Step> All(TestArchive archive, TestImage plain, TestImage tricky, TestImage broken, bool root)
    {
        var (one, two) = (archive.First, archive.Second);
        yield return Import(Default, archive);
        yield return Pull(Default, plain, unpack: false);
        if (root)
        {
            yield return Pull(Default, plain, unpack: true);
        }

        yield return root ? PullAndSync(Default, tricky) : Pull(Default, tricky, unpack: false);
        yield return new Step(
            Default, ["images", "tag", plain.Name, Copy], facts => facts.Named(Default, Copy, plain.Manifest));
        yield return new Step(
            Default, ["images", "pin", Copy], facts => facts.Pinned(Default, Copy));
        yield return new Step(Default, ["lease", "create", Lease, "--label", "purpose=test"], facts => facts.Leased(Default, Lease))
        {
            DoneCode = view => view.Leases.ContainsKey($"{Default} {Lease}") ? AlreadyExists : 0,
        };
        yield return new Step(
            Default,
            ["lease", "add", Lease, $"content:{two.Blobs[1]}", $"content:{two.Blobs[^1]}"],
            facts => facts.Holding(Default, Lease, $"content:{two.Blobs[1]}", $"content:{two.Blobs[^1]}"));
        yield return Remove(Default, two);
        yield return Import(Other, archive);
        yield return Remove(Other, one);
        yield return Pull(Default, broken, unpack: root) with { Death = "fsync:signal=SIGKILL:when=6" };
        yield return Pull(Default, broken, unpack: root);
        if (root)
        {
            yield return new Step(
                Other, ["namespaces", "label", Other, $"{NamespaceRecord.DefaultSnapshotterLabel}={Erofs}"], facts => facts.Labelled(Other, NamespaceRecord.DefaultSnapshotterLabel, Erofs));
            yield return PullAndSync(Other, tricky);
            yield return Pull(Other, plain, unpack: true);
            yield return Remove(Other, plain) with { Effect = facts => facts.Unnamed(Other, plain.Name).Discarded(Other, plain.Chain) };
        }

        yield return Remove(Default, plain);
        yield return new Step(Default, ["lease", "rm", Lease], facts => facts.Unleased(Default, Lease))
        {
            DoneCode = view => view.Leases.ContainsKey($"{Default} {Lease}") ? 0 : NotFound,
        };
        yield return new Step(Default, ["gc"], facts => facts);
    }

    private static Step Import(string ns, TestArchive archive) => new(
        ns,
        ["import", archive.Path],
        facts => facts
            .Named(ns, archive.First.Name, archive.First.Manifest)
            .Named(ns, archive.Second.Name, archive.Second.Manifest));

    private static Step Pull(string ns, TestImage image, bool unpack) => new(
        ns,
        unpack ? ["pull", image.Name] : ["pull", "--no-unpack", image.Name],
        facts => unpack ? PulledWith(facts, ns, image).Unpacked(ns, image.Chain, synced: false) : PulledWith(facts, ns, image));

    private static Step PullAndSync(string ns, TestImage image) => new(
        ns, ["pull", "--sync", image.Name], facts => PulledWith(facts, ns, image).Unpacked(ns, image.Chain, synced: true));

    private static Facts PulledWith(Facts facts, string ns, TestImage image) => facts.Named(ns, image.Name, image.Manifest);

    private static Step Remove(string ns, TestImage image) => new(ns, ["images", "rm", image.Name], facts => facts.Unnamed(ns, image.Name))
    {
        DoneCode = view => view.Images.ContainsKey($"{ns} {image.Name}") ? 0 : NotFound,
    };
}
