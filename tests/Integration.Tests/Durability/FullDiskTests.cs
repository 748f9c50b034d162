using System.Globalization;
using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Courses;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability;

/// <summary>Fills a real disk to its last block: what removes has to work there, since nothing else makes room.</summary>
public sealed class FullDiskTests : IDisposable
{
    private const int NoSpace = 10;
    private const int MaxTags = 300;
    private const long ReserveKiB = 4096;
    private const string MakeExt4 = "truncate -s 48M {0}.img && mkfs.ext4 -q -F -m 0 {0}.img && mount -o loop {0}.img {0}";
    private const string MakeTmpfs = "mount -t tmpfs -o size=24m none {0}";

    private static readonly string[] s_snapshotters = ["overlayfs", "native", "erofs"];

    private readonly Scratch _scratch = new();

    private static string Default => StoreView.Namespaces[0];

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData(MakeExt4)]
    [InlineData(MakeTmpfs)]
    public async Task Rm_AndGc_OnAFullDisk_MakeRoom(string make)
    {
        Run.NeedRoot();
        var token = TestContext.Current.CancellationToken;
        var archive = await TestArchive.MakeAsync(_scratch.NewFolder("images"));
        await using var boot = await Boot.SameAsync(_scratch, Account.Self);
        var disk = _scratch.NewFolder("disk");
        var mounted = await ShAsync(boot, string.Format(CultureInfo.InvariantCulture, make, disk));
        if (mounted.ExitCode != 0)
        {
            Assert.Skip($"such a disk cannot be made here: {mounted.Error.Trim()}");
        }

        var cli = new StoreCli(Path.Combine(disk, "root"), boot);
        foreach (var ns in StoreView.Namespaces)
        {
            await Cleaning.OkAsync(cli, ns, ["import", archive.Path]);
        }

        foreach (var kind in s_snapshotters)
        {
            await Cleaning.OkAsync(cli, Default, ["unpack", "--snapshotter", kind, archive.First.Name]);
        }

        await ShAsync(boot, $"cat /dev/zero >{disk}/fill; sync; cat /dev/zero >{disk}/fill2; sync; cat /dev/zero >{disk}/fill3");
        Assert.Equal(NoSpace, await TagUntilRefusedAsync(cli, archive.First.Name));
        foreach (var kind in s_snapshotters)
        {
            Assert.NotEmpty((await cli.JsonAsync(Default, "snapshots", "ls", "--snapshotter", kind)).EnumerateArray());
        }


        // Each name for itself, so that many commits come before any file goes.
        foreach (var ns in StoreView.Namespaces)
        {
            foreach (var image in (await cli.JsonAsync(ns, "images", "ls")).EnumerateArray())
            {
                await Cleaning.OkAsync(cli, ns, ["images", "rm", "--no-gc", image.GetProperty("name").GetString()!]);
            }
        }

        await Cleaning.OkAsync(cli, "no-such", ["gc"]);
        var view = await StoreView.ReadAsync(cli, token);
        Assert.Empty(view.Images);
        Assert.Empty(view.Content);
        Assert.Empty(view.Snapshots);
        Assert.Empty(await SecondOpinion.OfAsync(cli, removedBlobs: false));

        await ShAsync(boot, $"rm {disk}/fill*");
        await Cleaning.OkAsync(cli, Default, ["import", archive.Path]);
        var kept = await ShAsync(boot, $"du -k {cli.Root}/metadata/reserve");
        Assert.InRange(long.Parse(kept.Output.Split('\t')[0], CultureInfo.InvariantCulture), ReserveKiB, 2 * ReserveKiB);
    }

    /// <summary>The exit code of the first that is refused: what has blocks already still takes some.</summary>
    private static async Task<int> TagUntilRefusedAsync(StoreCli cli, string image)
    {
        var code = 0;
        for (var tag = 0; code == 0 && tag < MaxTags; tag++)
        {
            code = (await cli.TryAsync(Default, "images", "tag", image, $"tags.example/tag:{tag}")).ExitCode;
        }

        return code;
    }

    private static Task<Run.Result> ShAsync(Boot boot, string script) => boot.RunAsync(["sh", "-c", script]);
}
