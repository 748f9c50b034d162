using System.Text.Json;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests;

/// <summary>Sets of images from a real registry, as jobs that are killed, cancelled and out of room.</summary>
[Collection(RegistryGroup.Name)]
public sealed class PrepullTests(RegistryFixture registry) : IDisposable
{
    private const string Pinned = "io.cri-containerd.pinned";

    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-prepull-");

    public void Dispose() => _work.Delete(recursive: true);

    [Fact]
    public async Task Prepull_ByPriority_PinsUnderFullNames_AndARepeatPullsNothing()
    {
        var (first, second) = (await PushAsync("prepull-a", 1), await PushAsync("prepull-b", 2));
        var cli = new ImageStoreCli(In("root"));
        var file = Write($"name: base\nimages:\n - {first}\n - name: {second}\n   priority: 10\n");

        var lines = (await cli.OkAsync("-n", "k8s.io", "prepull", "-f", file)).Split('\n');
        Assert.Contains(second, lines[0], StringComparison.Ordinal);
        Assert.Contains(first, lines[1], StringComparison.Ordinal);
        Assert.Equal([first, second], await PinnedAsync(cli, "-n", "k8s.io"));
        var images = await cli.OkAsync("-n", "k8s.io", "images", "ls", "--format", "json");

        var again = JsonDocument.Parse(await cli.OkAsync("-n", "k8s.io", "--format", "json", "prepull", "-f", file)).RootElement;

        Assert.Equal("Done", again.GetProperty("state").GetString());
        Assert.All(again.GetProperty("images").EnumerateArray(), image => Assert.Equal(("Skipped", 0), (State(image), image.GetProperty("bytes").GetInt32())));
        Assert.Equal(images, await cli.OkAsync("-n", "k8s.io", "images", "ls", "--format", "json"));
        Assert.Equal(2, (await JobsAsync(cli, "-n", "k8s.io")).Count);
        Assert.Empty(await JobsAsync(cli));
    }

    [Fact]
    public async Task Prepull_OfASetThatLostAnImage_UnpinsItAndKeepsIt()
    {
        var (first, second) = (await PushAsync("prepull-a", 1), await PushAsync("prepull-b", 2));
        var cli = new ImageStoreCli(In("root"));
        await cli.OkAsync("prepull", "-f", Write($"name: base\nimages: [\"{first}\", \"{second}\"]"));

        var output = await cli.OkAsync("prepull", "-f", Write($"name: base\nimages: [\"{first}\"]"));

        Assert.Contains($"unpinned    {second}", output, StringComparison.Ordinal);
        Assert.Equal([first], await PinnedAsync(cli));
        await cli.OkAsync("images", "inspect", second);
        await cli.OkAsync("images", "rm", second);
    }

    [Fact]
    public async Task Prepull_WithAnImageThatFails_BringsTheOthers_AndEndsWithItsReason()
    {
        var (first, second) = (await PushAsync("prepull-a", 1), await PushAsync("prepull-b", 2));
        var cli = new ImageStoreCli(In("root"));
        var missing = $"{registry.Host}/prepull-missing:1";

        var result = await cli.TryAsync("prepull", "-f", Write($"name: base\nimages: [\"{first}\", \"{missing}\", \"{second}\"]"));

        Assert.Equal(3, result.ExitCode);
        Assert.Contains($"imagestore: {missing}", result.Error, StringComparison.Ordinal);
        Assert.Contains("1 of 3 images of the set base failed; the rest is there.", result.Error, StringComparison.Ordinal);
        Assert.Equal([first, second], await PinnedAsync(cli));
        var shown = await cli.OkAsync("jobs", "show", "base-1");
        Assert.Contains("2 of 3 are there", shown, StringComparison.Ordinal);
        Assert.Contains("not found", shown, StringComparison.Ordinal);
        Assert.Matches(@"base-1 +failed +2/3 +1 ", await cli.OkAsync("jobs", "ls"));
    }

    [Fact]
    public async Task Prepull_KilledAndTheSetChanged_IsInterrupted_AndANewJobBringsAll()
    {
        var (small, large) = (await PushAsync("prepull-a", 1), await PushLargeAsync());
        var cli = new ImageStoreCli(In("root"));
        var file = Write($"name: base\nlimit-rate: 300k\nimages: [\"{small}\", \"{large}\"]");
        using (var process = cli.Start("prepull", "-f", file))
        {
            await UntilPullingAsync(cli);
            process.Kill();
            await process.WaitForExitAsync();
        }

        Assert.Equal("Interrupted", (await ShowAsync(cli)).GetProperty("state").GetString());
        await cli.OkAsync("prepull", "-f", Write($"name: base\nimages: [\"{small}\", \"{large}\"]"));

        var jobs = await JobsAsync(cli);
        Assert.Equal([("base-1", "Cancelled"), ("base-2", "Done")], jobs);
        Assert.Equal([small, large], await PinnedAsync(cli));
        await cli.OkAsync("fsck");
    }

    [Fact]
    public async Task Prepull_KilledAndRunAgainUnchanged_IsOneJobInTwoAttempts()
    {
        var (small, large) = (await PushAsync("prepull-a", 1), await PushLargeAsync());
        var cli = new ImageStoreCli(In("root"));
        var file = Write($"name: base\nimages: [\"{small}\", \"{large}\"]");
        using (var process = cli.Start("--limit-rate", "300k", "prepull", "-f", file))
        {
            await UntilPullingAsync(cli);
            process.Kill();
            await process.WaitForExitAsync();
        }

        await cli.OkAsync("prepull", "-f", file);

        var job = await ShowAsync(cli);
        Assert.Equal("Done", job.GetProperty("state").GetString());
        Assert.Equal([("Done", 1), ("Done", 2)], job.GetProperty("images").EnumerateArray().Select(image => (State(image), image.GetProperty("attempts").GetInt32())));
        Assert.Single(await JobsAsync(cli));
    }

    [Fact]
    public async Task JobsCancel_OfARunningJob_EndsItsProcess_AndASecondRunMeanwhileIsRefused()
    {
        var (small, large) = (await PushAsync("prepull-a", 1), await PushLargeAsync());
        var cli = new ImageStoreCli(In("root"));
        var file = Write($"name: base\nimages: [\"{small}\", \"{large}\"]");
        using var process = cli.Start("--limit-rate", "300k", "prepull", "-f", file);
        await UntilPullingAsync(cli);

        var second = await cli.TryAsync("prepull", "-f", file);
        Assert.Equal(5, second.ExitCode);
        Assert.Contains($"being pulled already, by process {process.Id}, as the job base-1", second.Error, StringComparison.Ordinal);

        Assert.Matches("^base-1 is (asked to end; process [0-9]+ has it|cancelled)\n", await cli.OkAsync("jobs", "cancel", "base-1"));
        await process.WaitForExitAsync();
        Assert.Equal(5, process.ExitCode);
        Assert.Contains("The job base-1 was cancelled; 1 of 2 images are not there.", await process.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Equal([("base-1", "Cancelled")], await JobsAsync(cli));
        Assert.Equal(5, (await cli.TryAsync("jobs", "cancel", "base-1")).ExitCode);
        await cli.OkAsync("prepull", "-f", file);
        Assert.Equal([("base-1", "Cancelled"), ("base-2", "Done")], await JobsAsync(cli));
    }

    [Fact]
    public async Task Prepull_OutsideTheWindow_BeginsNothing_AndWithoutWaitingEndsAsWaiting()
    {
        var (first, second) = (await PushAsync("prepull-a", 1), await PushAsync("prepull-b", 2));
        var cli = new ImageStoreCli(In("root"));

        // Two hours from now are far enough for a clock that goes on meanwhile.
        var window = $"{TimeProvider.System.GetLocalNow().AddHours(2):HH:mm}-{TimeProvider.System.GetLocalNow().AddHours(3):HH:mm}";
        var file = Write($"name: base\nwindow: {window}\nimages:\n - {first}\n - name: {second}\n   window: none\n");

        var left = await cli.TryAsync("prepull", "-f", file, "--no-wait");
        Assert.Equal(5, left.ExitCode);
        Assert.Contains("1 of 2 images of the set base wait for their window", left.Error, StringComparison.Ordinal);
        Assert.Equal([("base-1", "Waiting")], await JobsAsync(cli));
        Assert.Equal([second], await PinnedAsync(cli));

        using var process = cli.Start("prepull", "-f", file);
        while (await process.StandardError.ReadLineAsync() is { } line && !line.Contains("waiting until", StringComparison.Ordinal))
        {
            // What comes before is of the image that may begin.
        }

        await cli.OkAsync("jobs", "cancel", "base-1");
        await process.WaitForExitAsync();
        Assert.Equal([("base-1", "Cancelled")], await JobsAsync(cli));
        Assert.Equal([second], await PinnedAsync(cli));
    }

    [Fact]
    public async Task Prepull_WhereTheDiskHasTooLittle_FailsThatImageForIt()
    {
        Run.NeedRoot();
        var (small, large) = (await PushAsync("prepull-a", 1), await PushLargeAsync());
        Directory.CreateDirectory(In("root"));
        if ((await Run.TryAsync("mount", ["-t", "tmpfs", "-o", "size=32m", "none", In("root")])).ExitCode != 0)
        {
            Assert.Skip("needs to mount");
        }

        try
        {
            var cli = new ImageStoreCli(In("root"));
            var file = Write($"name: base\nunpack: false\nkeep-free: 75%\nimages: [\"{large}\", \"{small}\"]");

            var result = await cli.TryAsync("prepull", "-f", file);

            Assert.Equal(10, result.ExitCode);
            Assert.Contains("24.0 MiB have to stay so", result.Error, StringComparison.Ordinal);
            Assert.Equal([small], await PinnedAsync(cli));
        }
        finally
        {
            await Run.AsyncOk("umount", "-l", In("root"));
        }
    }

    [Fact]
    public async Task Prepull_BesideADaemon_IsRefused_AndItsJobsAreStillListed()
    {
        Run.NeedRoot();
        Run.Need("ctr");
        var reference = await PushAsync("prepull-a", 1);
        var cli = new ImageStoreCli(In("served/root"));
        await cli.OkAsync("prepull", "-f", Write($"name: base\nimages: [\"{reference}\"]"));
        await using (await Imagestored.StartAsync(In("served")))
        {
            foreach (var set in (string[])["base", "other"])
            {
                var result = await cli.TryAsync("prepull", "-f", Write($"name: {set}\nimages: [\"{reference}\"]"));
                Assert.Equal(5, result.ExitCode);
                Assert.Contains("is served by the daemon on", result.Error, StringComparison.Ordinal);
            }

            Assert.Equal([("base-1", "Done")], await JobsAsync(cli));
        }

        await cli.OkAsync("prepull", "-f", Write($"name: base\nimages: [\"{reference}\"]"));
        Assert.Equal([("base-1", "Done"), ("base-2", "Done")], await JobsAsync(cli));
    }

    private static async Task<IReadOnlyList<string>> PinnedAsync(ImageStoreCli cli, params string[] options)
    {
        using var images = JsonDocument.Parse(await cli.OkAsync([.. options, "--format", "json", "images", "ls"]));
        return [.. images.RootElement.EnumerateArray()
            .Where(image => image.GetProperty("labels").TryGetProperty(Pinned, out _)).Select(image => image.GetProperty("name").GetString()!)];
    }

    private static async Task<IReadOnlyList<(string Id, string State)>> JobsAsync(ImageStoreCli cli, params string[] options)
    {
        using var jobs = JsonDocument.Parse(await cli.OkAsync([.. options, "--format", "json", "jobs", "ls"]));
        return [.. jobs.RootElement.EnumerateArray().Select(job => (job.GetProperty("id").GetString()!, State(job)))];
    }

    private static async Task<JsonElement> ShowAsync(ImageStoreCli cli) =>
        JsonDocument.Parse(await cli.OkAsync("--format", "json", "jobs", "show", "base-1")).RootElement;

    /// <summary>Waits until the job's last image is on its way, as its record says.</summary>
    private static async Task UntilPullingAsync(ImageStoreCli cli)
    {
        while (true)
        {
            if ((await JobsAsync(cli)).Count > 0 && State((await ShowAsync(cli)).GetProperty("images").EnumerateArray().Last()) == "Pulling")
            {
                return;
            }

            await Task.Delay(50);
        }
    }

    private static string State(JsonElement element) => element.GetProperty("state").GetString()!;

    private string Write(string text)
    {
        var path = In("prepull.yaml");
        File.WriteAllText(path, text);
        return path;
    }

    private async Task<string> PushAsync(string name, int seed, int layers = 2, int files = 3, int bytes = 2_000)
    {
        registry.Need();
        var layout = In($"layout-{name}");
        return await registry.PushAsync(Directory.Exists(layout) ? layout : Layouts.Random(layout, layers, files, bytes, seed), name);
    }

    // Long enough at 300 KB a second to be caught in the middle.
    private Task<string> PushLargeAsync() => PushAsync("prepull-large", 3, layers: 2, files: 50, bytes: 100_000);

    private string In(string name) => Path.Combine(_work.FullName, name);
}
