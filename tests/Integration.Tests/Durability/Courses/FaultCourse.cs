using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>The commands in which calls are made to fail: an import, a pull with unpacking, a removal and a collection.</summary>
internal static class FaultCourse
{
    private const string Default = "default";
    private const int NotFound = 3;

    /// <summary>Makes the images, and gives the commands and the image that may be mounted.</summary>
    public static async Task<(IReadOnlyList<Step> Steps, TestImage Mountable)> MakeAsync(RegistryFixture registry, string folder)
    {
        var archive = await TestArchive.MakeAsync(folder);
        var image = await TestImage.PushAsync(registry, Layouts.Tricky(Path.Combine(folder, "tricky"), "faults"), "durability-faults");
        var root = Account.Self.Unpacks;
        return ([
            new Step(Default, ["import", archive.Path], facts => facts
                .Named(Default, archive.First.Name, archive.First.Manifest)
                .Named(Default, archive.Second.Name, archive.Second.Manifest)),
            new Step(Default, ["pull", image.Name], facts => root
                ? facts.Named(Default, image.Name, image.Manifest).Unpacked(Default, image.Chain, synced: false)
                : facts.Named(Default, image.Name, image.Manifest)),
            new Step(Default, ["images", "rm", archive.Second.Name], facts => facts.Unnamed(Default, archive.Second.Name))
            {
                DoneCode = view => view.Images.ContainsKey($"{Default} {archive.Second.Name}") ? 0 : NotFound,
            },
            new Step(Default, ["images", "rm", "--no-gc", image.Name], facts => facts.Unnamed(Default, image.Name) with { Snapshots = [] })
            {
                DoneCode = view => view.Images.ContainsKey($"{Default} {image.Name}") ? 0 : NotFound,
            },
            new Step(Default, ["gc"], facts => facts),
        ], image);
    }
}
