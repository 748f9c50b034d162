using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Daemon;

/// <summary>Debian's ctr at our daemon and at containerd, command by command: it prints and ends alike.</summary>
[Collection(RegistryGroup.Name)]
public sealed class CtrTests(RegistryFixture registry) : IAsyncLifetime
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-ctr-");
    private Imagestored? _ours;
    private Containerd? _theirs;
    private Ctr _us = null!;
    private Ctr _them = null!;

    public async ValueTask InitializeAsync()
    {
        if (!Environment.IsPrivilegedProcess || Run.Find("ctr") is null || Run.Find("containerd") is null || Run.Find("docker-registry") is null)
        {
            return;
        }

        _ours = await Imagestored.StartAsync(In("ours"));
        _theirs = await Containerd.StartAsync(In("theirs"));
        (_us, _them) = (new Ctr(_ours.Socket, Made("us")), new Ctr(Path.Combine(In("theirs"), "sock"), Made("them")));
    }

    public async ValueTask DisposeAsync()
    {
        await (_ours?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_theirs?.DisposeAsync() ?? ValueTask.CompletedTask);
        await Run.AsyncOk("rm", "-r", "-f", "--one-file-system", _work.FullName);
    }

    [Fact]
    public async Task Namespaces_AreMadeLabelledAndRemoved()
    {
        Need();
        await SameAsync("namespaces", "create", "a", "x=1");
        await SameAsync("namespaces", "create", "a");
        await SameAsync("namespaces", "label", "a", "y=2", "x=");
        await SameAsync("namespaces", "ls");
        await SameAsync("namespaces", "rm", "none");
        await SameAsync("namespaces", "create", "-bad");
        await SameAsync("namespaces", "rm", "a");
        await SameAsync("namespaces", "ls", "-q");
    }

    [Fact]
    public async Task Leases_AreMadeAndRemoved()
    {
        Need();
        await SameAsync("leases", "create", "--id", "/any/name", "a=b");
        await SameAsync("leases", "create", "--id", "/any/name");
        await SameAsync("leases", "ls", "-q");
        await SameAsync("leases", "ls", "id==none");
        await SameAsync("leases", "rm", "/any/name");
        await SameAsync("leases", "rm", "/any/name");
    }

    [Fact]
    public async Task Images_FromPullToRemoval()
    {
        Need();
        var image = await registry.PushAsync(Layouts.Tricky(In("layout"), "ctr"), "ctr");
        await SameAsync("images", "pull", "--plain-http", image);
        await SameAsync("images", "ls");
        await SameAsync("images", "ls", "name~=ctr");
        await SameAsync("images", "ls", "name=");
        await SameAsync("images", "check");
        await SameAsync("snapshots", "tree");
        await SameAsync("images", "tag", image, "second");
        await SameAsync("images", "tag", image, "second");
        await SameAsync("images", "tag", "--force", image, "second");
        await SameAsync("images", "label", image, "a=b");
        await SameAsync("images", "label", "--replace-all", image, "c=d");
        await SameAsync("images", "ls");
        await SameAsync("images", "push", "--plain-http", $"{registry.Host}/ctr-pushed:latest", image);
        await SameAsync("images", "export", "WORK/image.tar", image);
        await SameAsync("images", "rm", "second", "none");
        await SameAsync("images", "rm", "--sync", image);
        await SameAsync("images", "ls", "-q");
        await SameAsync("content", "ls", "-q");
        await SameAsync("snapshots", "ls");
        await SameAsync("images", "import", "WORK/image.tar");
        await SameAsync("images", "ls", "-q");
        await SameAsync("snapshots", "ls");
    }

    [Fact]
    public async Task Mount_AnImage_ShowsTheTreeThatContainerdShows()
    {
        Need();
        var image = await registry.PushAsync(Layouts.Tricky(In("layout"), "ctr-mount"), "ctr-mount");
        await SameAsync("images", "pull", "--plain-http", image);
        Directory.CreateDirectory(Path.Combine(_us.Work, "mnt"));
        Directory.CreateDirectory(Path.Combine(_them.Work, "mnt"));
        await SameAsync("images", "mount", image, "WORK/mnt");
        try
        {
            Trees.AssertEqual(await TreeAsync(_them), await TreeAsync(_us));
            await SameAsync("leases", "ls", "-q");
        }
        finally
        {
            await SameAsync("images", "unmount", "--rm", "WORK/mnt");
        }

        await SameAsync("leases", "ls", "-q");
    }

    [Fact]
    public async Task Content_FromIngestToRemoval()
    {
        Need();
        const string Digest = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"; // of "hello\n"
        await SameWithInputAsync("wrong", "content", "ingest", "--expected-size", "5", "--expected-digest", Digest, "wrong");
        await SameWithInputAsync("hello\n", "content", "ingest", "--expected-size", "6", "--expected-digest", Digest, "ref");
        await SameWithInputAsync("hello\n", "content", "ingest", "--expected-size", "6", "--expected-digest", Digest, "ref");
        await SameAsync("content", "label", Digest, "containerd.io/gc.root=1");
        await SameAsync("content", "get", Digest);
        await SameAsync("content", "get", Digest[..^1] + "4");
        await SameAsync("content", "ls");
        await SameAsync("content", "rm", Digest);
        await SameAsync("content", "rm", Digest);
        await SameAsync("content", "ls");
    }

    [Fact]
    public async Task Content_FetchedAndPushed()
    {
        Need();
        var image = await registry.PushAsync(Layouts.Tricky(In("layout"), "ctr-content"), "ctr-content");
        await SameAsync("content", "fetch", "--plain-http", image);
        await SameAsync("content", "ls", "-q");
        var listed = await Run.AsyncOk("ctr", "-a", _ours!.Socket, "images", "ls");
        var manifest = listed.Split('\n')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[2];
        await SameAsync("content", "push-object", "--plain-http", $"{registry.Host}/ctr-content-WHO:latest", manifest, "type");
        await SameAsync("snapshots", "unpack", manifest);
        await SameAsync("snapshots", "ls");
        await SameAsync("content", "prune", "references");
        await SameAsync("content", "ls", "-q");
    }

    [Fact]
    public async Task Snapshots_FromPrepareToRemoval()
    {
        Need();
        var image = await registry.PushAsync(Layouts.Tricky(In("layout"), "ctr-snapshots"), "ctr-snapshots");
        await SameAsync("images", "pull", "--plain-http", image);
        var tree = await Run.AsyncOk("ctr", "-a", _ours!.Socket, "snapshots", "tree");
        var top = tree.TrimEnd().Split('\n')[^1] is var last ? last[last.IndexOf("sha256:", StringComparison.Ordinal)..].Trim() : string.Empty;
        await SameAsync("snapshots", "prepare", "one", top);
        await SameAsync("snapshots", "prepare", "one", top);
        await SameAsync("snapshots", "prepare", "two", "none");
        await SameAsync("snapshots", "info", "one");
        await SameAsync("snapshots", "label", "one", "l=1");
        await SameAsync("snapshots", "info", "one");
        await SameAsync("snapshots", "ls");
        await SameAsync("snapshots", "mounts", "WORK/mnt", "one");
        Assert.Equal(await ChangedAsync(Path.Combine(In("theirs"), "sock"), "one"), await ChangedAsync(_ours.Socket, "one"));
        await SameAsync("snapshots", "commit", "committed", "one");
        await SameAsync("snapshots", "tree");
        await SameAsync("snapshots", "rm", top);
        await SameAsync("snapshots", "rm", "committed");
        await SameAsync("snapshots", "rm", "committed");
        await SameAsync("snapshots", "ls");
    }

    [Fact]
    public async Task Events_AreThoseOfContainerd()
    {
        Need();
        Assert.Equal(await EventsAsync(_them, Path.Combine(In("theirs"), "sock")), await EventsAsync(_us, _ours!.Socket));
    }

    [Fact]
    public async Task Containers_FromTheirMakingToTheirEnd()
    {
        Need();
        var image = await registry.PushAsync(Layouts.Tricky(In("layout"), "ctr-containers"), "ctr-containers");
        await SameAsync("images", "pull", "--plain-http", image);
        await SameAsync("containers", "create", image, "one", "/bin/true");
        await SameAsync("containers", "create", image, "one", "/bin/true");
        await SameAsync("containers", "ls");
        await SameAsync("containers", "label", "one", "a=b");
        await SameAsync("containers", "info", "one");
        await SameAsync("containers", "ls", "-q", "labels.a==b");
        await SameAsync("snapshots", "ls");
        await SameAsync("containers", "rm", "one");
        await SameAsync("containers", "rm", "one");
        await SameAsync("containers", "ls");
        await SameAsync("snapshots", "ls");
    }

    [Fact]
    public async Task Stop_ByASignal_EndsWellAndTheNextStartGoesOn()
    {
        Need();
        await SameAsync("namespaces", "create", "kept");
        Assert.Equal(0, await _ours!.StopAsync());
        Assert.False(File.Exists(_ours.Socket));
        _ours = await Imagestored.StartAsync(In("ours"));
        await SameAsync("namespaces", "ls");
        _ours.Kill();
        await using var after = await Imagestored.StartAsync(In("ours"));
        await SameAsync("namespaces", "ls");
    }

    // containerd gives directories that it changed after their entry the time of the unpacking; ours have the layer's.
    private static async Task<SortedDictionary<string, string>> TreeAsync(Ctr ctr) => new(
        (await TreeListing.OfAsync(Path.Combine(ctr.Work, "mnt"))).ToDictionary(
            entry => entry.Key,
            entry => entry.Value.StartsWith("d ", StringComparison.Ordinal) ? string.Join(' ', entry.Value.Split(' ').Where((_, i) => i != 3)) : entry.Value),
        StringComparer.Ordinal);

    /// <summary>Changes a snapshot, and lists what is in the layer that ctr makes of it. The root itself is in ours alone.</summary>
    private async Task<string> ChangedAsync(string socket, string key)
    {
        var mounted = Directory.CreateDirectory(In($"mnt-{Guid.NewGuid():N}")).FullName;
        var listed = await Run.AsyncOk(
            "sh",
            "-c",
            $"set -e; $(ctr -a {socket} snapshots mounts {mounted} {key}); echo new > {mounted}/added; rm {mounted}/data/keep; umount {mounted}; "
            + $"ctr -a {socket} snapshots diff {key} | tar tzf - | sort");
        return string.Join('\n', listed.Split('\n').Where(line => line != "./"));
    }

    private static async Task<string> EventsAsync(Ctr ctr, string socket)
    {
        using var listener = Run.Start("ctr", ["-a", socket, "events"]);
        try
        {
            // It says nothing before something happens, so that it is waited for by making something happen.
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            var first = listener.StandardOutput.ReadLineAsync(limit.Token).AsTask();
            for (var i = 0; !first.IsCompleted; i++)
            {
                await ctr.RunAsync("namespaces", "create", $"wait{i}");
                await Task.WhenAny(first, Task.Delay(100, limit.Token));
                limit.Token.ThrowIfCancellationRequested();
            }

            await ctr.RunAsync("namespaces", "create", "events", "a=b");
            await ctr.RunAsync("namespaces", "label", "events", "a=c");
            await ctr.RunAsync("snapshots", "prepare", "key");
            await ctr.RunAsync("snapshots", "commit", "name", "key");
            await ctr.RunAsync("snapshots", "rm", "name");
            await ctr.RunAsync("namespaces", "rm", "events");
            List<string> lines = [];
            while (lines.Count == 0 || !lines[^1].Contains("/namespaces/delete", StringComparison.Ordinal))
            {
                var line = await listener.StandardOutput.ReadLineAsync(limit.Token) ?? throw new InvalidOperationException("ctr events ended");
                if (!line.Contains("wait", StringComparison.Ordinal))
                {
                    // 1.6 has events of a namespace be in the caller's, and later ones, as ours, in that one.
                    lines.Add(line[line.IndexOf(" /", StringComparison.Ordinal)..]);
                }
            }

            return string.Join('\n', lines);
        }
        finally
        {
            listener.Kill();
        }
    }

    private void Need()
    {
        Run.NeedRoot();
        Run.Need("containerd", "ctr");
        registry.Need();
    }

    private Task SameAsync(params string[] arguments) => SameAsync(arguments, (ctr, words) => ctr.RunAsync(words));

    private Task SameWithInputAsync(string input, params string[] arguments) => SameAsync(arguments, (ctr, words) => ctr.RunWithInputAsync(input, words));

    private async Task SameAsync(string[] arguments, Func<Ctr, string[], Task<string>> run)
    {
        var expected = await run(_them, For(_them));
        Assert.Equal($"{string.Join(' ', arguments)}: {expected}", $"{string.Join(' ', arguments)}: {await run(_us, For(_us))}");

        string[] For(Ctr ctr) => [.. arguments.Select(word => word.Replace("WORK", ctr.Work, StringComparison.Ordinal).Replace("WHO", Path.GetFileName(ctr.Work), StringComparison.Ordinal))];
    }

    private string In(string name) => Path.Combine(_work.FullName, name);

    private string Made(string name) => Directory.CreateDirectory(In(name)).FullName;
}
