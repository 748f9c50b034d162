using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Support;
using ImageStore.Store.Namespaces;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>The commands in which calls are made to fail: an import, pulls with unpacking, removals and a collection.</summary>
internal static class FaultCourse
{
    private const string Default = "default";
    private const string Other = "other";
    private const string Erofs = "erofs";
    private const int NotFound = 3;

    /// <summary>Makes the images, and gives the commands and the images that may be mounted.</summary>
    public static async Task<(IReadOnlyList<Step> Steps, IReadOnlyList<(string Namespace, string Name)> Mountable)> MakeAsync(RegistryFixture registry, string folder)
    {
        var archive = await TestArchive.MakeAsync(folder);
        var image = await TestImage.PushAsync(registry, Layouts.Tricky(Path.Combine(folder, "tricky"), "faults"), "durability-faults");
        var root = Account.Self.Unpacks;
        List<Step> steps =
        [
            Import(Default, archive),
            Pull(Default, image, root),
            Remove(Default, archive.Second),
            new Step(Default, ["images", "rm", "--no-gc", image.Name], facts => facts.Unnamed(Default, image.Name).Discarded(Default, image.Chain))
            {
                DoneCode = view => view.Images.ContainsKey($"{Default} {image.Name}") ? 0 : NotFound,
            },
            new Step(Default, ["gc"], facts => facts),
        ];
        if (root)
        {
            steps.Add(Import(Other, archive));
            steps.Add(new Step(
                Other, ["namespaces", "label", Other, $"{NamespaceRecord.DefaultSnapshotterLabel}={Erofs}"], facts => facts.Labelled(Other, NamespaceRecord.DefaultSnapshotterLabel, Erofs)));
            steps.Add(Pull(Other, image, unpack: true));
            steps.Add(Remove(Other, image));
        }

        return (steps, [(Default, image.Name), (Other, image.Name)]);
    }

    private static Step Import(string ns, TestArchive archive) => new(ns, ["import", archive.Path], facts => facts
        .Named(ns, archive.First.Name, archive.First.Manifest)
        .Named(ns, archive.Second.Name, archive.Second.Manifest));

    private static Step Pull(string ns, TestImage image, bool unpack) => new(ns, ["pull", image.Name], facts => unpack
        ? facts.Named(ns, image.Name, image.Manifest).Unpacked(ns, image.Chain, synced: false)
        : facts.Named(ns, image.Name, image.Manifest));

    private static Step Remove(string ns, TestImage image) => new(
        ns, ["images", "rm", image.Name], facts => facts.Unnamed(ns, image.Name).Discarded(ns, image.Chain))
    {
        DoneCode = view => view.Images.ContainsKey($"{ns} {image.Name}") ? 0 : NotFound,
    };
}
