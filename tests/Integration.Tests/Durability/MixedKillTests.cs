using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Kills;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability;

/// <summary>Kills commands of all kinds at random moments, in two namespaces of one root, sometimes two at a time.</summary>
[Collection(RegistryGroup.Name)]
public sealed class MixedKillTests(RegistryFixture registry, ITestOutputHelper output) : IDisposable
{
    private const int Kills = 150;

    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task Root_WhoseCommandsAreKilled_HasWhatWasAcknowledgedAndGoesOn()
    {
        Run.NeedRoot();
        registry.Need();
        var token = TestContext.Current.CancellationToken;
        var images = await KillImages.MakeAsync(registry, _scratch.NewFolder("images"));
        var tree = await TreeAsync(images);
        var tally = new Tally();
        await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(worker =>
            new KillWorker(images, tree, _scratch, tally, Settings.Seed + worker).RunAsync(Settings.Kills ?? Kills, token)));
        output.WriteLine($"seed {Settings.Seed}");
        tally.Tell(output);
    }

    private async Task<SortedDictionary<string, string>> TreeAsync(KillImages images)
    {
        await using var boot = await Boot.SameAsync(_scratch, Account.Self);
        var cli = new StoreCli(_scratch.New("root"), boot);
        var name = images.Pullable[^1].Name;
        await Courses.Cleaning.OkAsync(cli, StoreView.Namespaces[0], ["pull", name]);
        return await MountedTree.ReadAsync(cli, StoreView.Namespaces[0], name, _scratch.New("mount"));
    }
}
