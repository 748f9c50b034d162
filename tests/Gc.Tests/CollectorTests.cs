using ImageStore.Gc.Tests.Support;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Leases;
using ImageStore.Store.Oci;
using ImageStore.Store.Resources;

namespace ImageStore.Gc.Tests;

/// <summary>What stays, what goes, and what is told of it: containerd's rules one by one.</summary>
public sealed class CollectorTests : IAsyncLifetime
{
    private const string Ref = "containerd.io/gc.ref.content";
    private const string Back = "containerd.io/gc.bref.";
    private CollectedRoot _root = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _root = await CollectedRoot.OpenAsync();

    public ValueTask DisposeAsync() => _root.DisposeAsync();

    [Fact]
    public async Task Collect_NothingRefersToABlob_ItGoesWithItsFile()
    {
        await _root.BlobAsync("alone");

        var report = await _root.Collector.CollectAsync(Ct);

        Assert.False(_root.Has("alone"));
        Assert.False(File.Exists(_root.FileOf("alone")));
        Assert.Equal((1, 5L), (report.Count(ResourceKind.Content), report.FreedBytes));
    }

    [Theory]
    [InlineData(Ref)]
    [InlineData(Ref + ".l.0")]
    [InlineData(Ref + "/x")]
    public async Task Collect_ImageAndLabelsRefer_TheWholeChainStays(string label)
    {
        await _root.BlobAsync("leaf");
        await _root.BlobAsync("middle", labels: (label, CollectedRoot.DigestOf("leaf").ToString()));
        await _root.BlobAsync("top", labels: (label, CollectedRoot.DigestOf("middle").ToString()));
        await _root.ImageAsync("image", "top");

        Assert.Empty((await _root.Collector.CollectAsync(Ct)).Removed);

        await _root.Root.Images(CollectedRoot.Namespace).RemoveAsync("image", Ct);
        Assert.Equal(3, (await _root.Collector.CollectAsync(Ct)).Count(ResourceKind.Content));
    }

    [Theory]
    [InlineData("containerd.io/gc.ref.contents")]
    [InlineData("containerd.io/gc.ref.contentx.0")]
    [InlineData("gc.ref.content")]
    [InlineData("containerd.io/gc.ref")]
    public async Task Collect_LabelIsAnother_KeepsNothing(string label)
    {
        await _root.BlobAsync("leaf");
        await _root.BlobAsync("top", labels: (label, CollectedRoot.DigestOf("leaf").ToString()));
        await _root.ImageAsync("image", "top");

        await _root.Collector.CollectAsync(Ct);

        Assert.False(_root.Has("leaf"));
    }

    [Theory]
    [InlineData("content", "sha256:nonsense")]
    [InlineData("content", "")]
    [InlineData("snapshot.overlayfs", "../..")]
    [InlineData("image", "none")]
    public async Task Collect_LabelNamesWhatIsNotThere_IsNoMatter(string what, string value)
    {
        await _root.BlobAsync("top", labels: [("containerd.io/gc.ref." + what, value), (Labels.Root, "x")]);

        Assert.Empty((await _root.Collector.CollectAsync(Ct)).Removed);
    }

    [Fact]
    public async Task Collect_RootLabel_Keeps()
    {
        await _root.BlobAsync("kept", labels: (Labels.Root, "2026-01-01T00:00:00Z"));

        await _root.Collector.CollectAsync(Ct);

        Assert.True(_root.Has("kept"));
    }

    [Fact]
    public async Task Collect_CycleWithoutARoot_Goes()
    {
        await _root.BlobAsync("a", labels: (Ref, CollectedRoot.DigestOf("b").ToString()));
        await _root.BlobAsync("b", labels: (Ref, CollectedRoot.DigestOf("a").ToString()));

        Assert.Equal(2, (await _root.Collector.CollectAsync(Ct)).Count(ResourceKind.Content));
    }

    [Theory]
    [InlineData("content.subject")]
    [InlineData("content")]
    [InlineData("image.x")]
    public async Task Collect_BackReference_LivesAsLongAsWhatItNames(string what)
    {
        await _root.BlobAsync("subject");
        await _root.ImageAsync("image", "subject");
        var keeper = what.StartsWith("image", StringComparison.Ordinal) ? "image" : CollectedRoot.DigestOf("subject").ToString();
        await _root.BlobAsync("signature", labels: (Back + what, keeper));
        await _root.BlobAsync("of the signature", labels: (Back + "content", CollectedRoot.DigestOf("signature").ToString()));

        Assert.Empty((await _root.Collector.CollectAsync(Ct)).Removed);

        await _root.Root.Images(CollectedRoot.Namespace).RemoveAsync("image", Ct);
        await _root.Collector.CollectAsync(Ct);
        Assert.False(_root.Has("signature") || _root.Has("of the signature"));
    }

    [Fact]
    public async Task Collect_ImageExpires_GoesWithAllThatItKept_UnlessAnotherImageKeepsIt()
    {
        var end = _root.Time.GetUtcNow().AddHours(1).ToString("O");
        await _root.BlobAsync("top");
        await _root.ImageAsync("main", "top");
        await _root.ImageAsync("extra", "top", labels: [(Labels.Expire, end), (Back + "image", "main")]);
        await _root.BlobAsync("other");
        await _root.ImageAsync("expires", "other", labels: (Labels.Expire, end));
        Assert.Empty((await _root.Collector.CollectAsync(Ct)).Removed);
        _root.Time.Advance(TimeSpan.FromHours(1));

        var report = await _root.Collector.CollectAsync(Ct);

        Assert.Equal(["extra", "main"], _root.Root.Images(CollectedRoot.Namespace).List().Select(image => image.Name));
        Assert.Equal((1, 1), (report.Count(ResourceKind.Image), report.Count(ResourceKind.Content)));
        await _root.Root.Images(CollectedRoot.Namespace).RemoveAsync("main", Ct);
        await _root.Collector.CollectAsync(Ct);
        Assert.Empty(_root.Root.Images(CollectedRoot.Namespace).List());
    }

    [Fact]
    public async Task Collect_ExpiryIsNoTime_NothingGoes()
    {
        await _root.BlobAsync("top");
        await _root.ImageAsync("image", "top", labels: (Labels.Expire, "soon"));

        Assert.Empty((await _root.Collector.CollectAsync(Ct)).Removed);
    }

    [Fact]
    public async Task Collect_PinnedImageExpires_Stays()
    {
        await _root.BlobAsync("top");
        await _root.ImageAsync("image", "top", labels: [(Labels.Expire, "2000-01-01T00:00:00Z"), (Labels.Pinned, "pinned")]);

        Assert.Empty((await _root.Collector.CollectAsync(Ct)).Removed);
        Assert.True(_root.Has("top"));
    }

    [Fact]
    public async Task Collect_Lease_KeepsUntilItExpires()
    {
        await _root.BlobAsync("leaf");
        await _root.BlobAsync("leased", labels: (Ref, CollectedRoot.DigestOf("leaf").ToString()));
        var lease = await LeaseAsync(TimeSpan.FromHours(1));
        await _root.Root.Leases(CollectedRoot.Namespace).AddAsync(lease, new LeaseResource("content", CollectedRoot.DigestOf("leased").ToString()), Ct);
        Assert.Empty((await _root.Collector.CollectAsync(Ct)).Removed);
        _root.Time.Advance(TimeSpan.FromHours(2));

        var report = await _root.Collector.CollectAsync(Ct);

        Assert.Equal((2, 1), (report.Count(ResourceKind.Content), report.Count(ResourceKind.Lease)));
        Assert.Empty(_root.Root.Leases(CollectedRoot.Namespace).List());
        Assert.Empty(_root.Root.Leases(CollectedRoot.Namespace).Resources(lease.Id));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Collect_FlatLease_KeepsWhatItHoldsAndNoMore(bool alsoAnImage)
    {
        await _root.BlobAsync("leaf");
        await _root.BlobAsync("leased", labels: (Ref, CollectedRoot.DigestOf("leaf").ToString()));
        var lease = await LeaseAsync(null, (Labels.Flat, "x"));
        await _root.Root.Leases(CollectedRoot.Namespace).AddAsync(lease, new LeaseResource("content", CollectedRoot.DigestOf("leased").ToString()), Ct);
        if (alsoAnImage)
        {
            await _root.ImageAsync("image", "leased");
        }

        await _root.Collector.CollectAsync(Ct);

        Assert.True(_root.Has("leased"));
        Assert.Equal(alsoAnImage, _root.Has("leaf"));
    }

    [Fact]
    public async Task Collect_FlatlyLeasedIsNamedMeanwhile_WhatItRefersToStays()
    {
        await _root.BlobAsync("leaf");
        await _root.BlobAsync("leased", labels: (Ref, CollectedRoot.DigestOf("leaf").ToString()));
        var lease = await LeaseAsync(null, (Labels.Flat, "x"));
        await _root.Root.Leases(CollectedRoot.Namespace).AddAsync(lease, new LeaseResource("content", CollectedRoot.DigestOf("leased").ToString()), Ct);
        _root.Collector.Between = () => _root.ImageAsync("image", "leased");

        await _root.Collector.CollectAsync(Ct);

        Assert.True(_root.Has("leaf"));
    }

    [Fact]
    public async Task Lease_Expired_TakesNothingMore()
    {
        var lease = await LeaseAsync(TimeSpan.FromHours(1));
        _root.Time.Advance(TimeSpan.FromHours(1));

        var failure = await Assert.ThrowsAsync<Store.Errors.ImageStoreException>(
            () => _root.Root.Leases(CollectedRoot.Namespace).AddAsync(lease, new LeaseResource("content", "sha256:x"), Ct));

        Assert.Equal(Store.Errors.ErrorKind.FailedPrecondition, failure.Kind);
    }

    [Fact]
    public async Task Collect_OtherNamespace_KeepsItsOwnAndTheFile()
    {
        await _root.Root.Namespaces.EnsureAsync("other", Ct);
        await _root.BlobAsync("shared");
        await _root.BlobAsync("shared", "other");
        await _root.ImageAsync("image", "shared", "other");

        var report = await _root.Collector.CollectAsync(Ct);

        Assert.False(_root.Has("shared"));
        Assert.True(_root.Has("shared", "other"));
        Assert.True(File.Exists(_root.FileOf("shared")));
        Assert.Equal(0, report.FreedBytes);
    }

    [Fact]
    public async Task Collect_NamespaceThatNobodyMade_KeepsItsFiles()
    {
        await _root.BlobAsync("kept", "unlisted", (Labels.Root, "x"));

        await _root.Collector.CollectAsync(Ct);

        Assert.True(File.Exists(_root.FileOf("kept")));
        Assert.Contains("unlisted", _root.Root.Namespaces.List().Select(ns => ns.Name));
    }

    [Fact]
    public async Task Collect_Snapshots_StayWithTheirConfigTheirChildrenAndTheirUsers()
    {
        var snapshotter = await SnapshotterFactory.OpenAsync("native", _root.Root.Directory, CollectedRoot.Namespace, _root.Root.Database, _root.Time, Ct);
        await CommitAsync("base", null);
        await CommitAsync("named", "base");
        await CommitAsync("loose", "base");
        await CommitAsync("used", null);
        await snapshotter.PrepareAsync("container", "used", Labels.None, Ct);
        await _root.BlobAsync("config", labels: ("containerd.io/gc.ref.snapshot.native", "named"));
        await _root.ImageAsync("image", "config");

        var report = await _root.Collector.CollectAsync(Ct);

        Assert.Equal("native/loose", Assert.Single(report.Removed).Key);
        Assert.True(report.FreedBytes >= 4096, $"{report.FreedBytes} bytes");
        Assert.Equal(["base", "container", "named", "used"], (await snapshotter.WalkAsync(Ct)).Select(snapshot => snapshot.Name));
        await _root.Root.Images(CollectedRoot.Namespace).RemoveAsync("image", Ct);
        await snapshotter.RemoveAsync("container", Ct);
        Assert.Equal(3, (await _root.Collector.CollectAsync(Ct)).Count(ResourceKind.Snapshot));
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(_root.Root.Directory, "snapshots", "native")));

        async Task CommitAsync(string name, string? parent)
        {
            var mounts = await snapshotter.PrepareAsync($"{name}-key", parent, Labels.None, Ct);
            await File.WriteAllBytesAsync(Path.Combine(mounts[0].Source, "file"), new byte[4096], Ct);
            await snapshotter.CommitAsync(name, $"{name}-key", Labels.None, Ct);
        }
    }

    [Fact]
    public async Task Collect_FileWithoutARow_IsSwept()
    {
        await _root.BlobAsync("kept", labels: (Labels.Root, "x"));
        await File.WriteAllTextAsync(_root.FileOf("stray"), "stray", Ct);
        await File.WriteAllTextAsync(_root.FileOf("empty"), "", Ct);
        var plan = await _root.Collector.PlanAsync(Ct);
        Assert.Equal((2, 5L), (plan.StrayFiles, plan.FreedBytes));

        var report = await _root.Collector.CollectAsync(Ct);

        Assert.Equal((2, 5L), (report.StrayFiles, report.FreedBytes));
        Assert.False(File.Exists(_root.FileOf("stray")));
        Assert.True(File.Exists(_root.FileOf("kept")));
    }

    [Fact]
    public async Task Collect_IngestThatNobodyWentOnWith_GoesAfterADay_UnlessALeaseHoldsIt()
    {
        foreach (var name in (string[])["old", "held", "young"])
        {
            await using var writer = await _root.Content.OpenWriterAsync(name, 10, DigestAlgorithm.Sha256, Ct);
            writer.Write("half"u8);
        }

        var lease = await LeaseAsync(null);
        await _root.Root.Leases(CollectedRoot.Namespace).AddAsync(lease, new LeaseResource("ingests", "held"), Ct);
        foreach (var path in Directory.EnumerateDirectories(Path.Combine(_root.Root.Directory, "content", "ingest")))
        {
            var young = (await File.ReadAllTextAsync(Path.Combine(path, "ref"), Ct)).EndsWith("young", StringComparison.Ordinal);
            File.SetLastWriteTimeUtc(Path.Combine(path, "data"), _root.Time.GetUtcNow().UtcDateTime.AddHours(young ? -23 : -25));
        }

        Assert.Equal(1, (await _root.Collector.PlanAsync(Ct)).Ingests);
        Assert.Equal(1, (await _root.Collector.CollectAsync(Ct)).Ingests);
        Assert.Equal(["held", "young"], _root.Content.ListIngests().Select(ingest => ingest.Ref));
    }

    [Fact]
    public async Task Plan_TellsWhatCollectDoes_AndChangesNothing()
    {
        await _root.Root.Namespaces.EnsureAsync("other", Ct);
        await _root.BlobAsync("both");
        await _root.BlobAsync("both", "other");
        await _root.BlobAsync("kept elsewhere");
        await _root.BlobAsync("kept elsewhere", "other");
        await _root.ImageAsync("image", "kept elsewhere", "other");

        var plan = await _root.Collector.PlanAsync(Ct);
        Assert.True(_root.Has("both"));
        var done = await _root.Collector.CollectAsync(Ct);

        Assert.Equal(plan.Removed.ToHashSet(), done.Removed.ToHashSet());
        Assert.Equal(3, done.Removed.Count);
        Assert.Equal((plan.FreedBytes, plan.Kept), (done.FreedBytes, done.Kept));
        Assert.True(plan.DryRun);
    }

    [Fact]
    public async Task Collect_ASnapshotOfAContainer_StaysAsLongAsThat()
    {
        var snapshots = await Snapshotters.Snapshots.SnapshotterFactory.OpenAsync(
            "native", _root.Root.Directory, CollectedRoot.Namespace, _root.Root.Database, _root.Time, Ct);
        var leased = new Dictionary<string, string> { [Store.Labels.Leased] = "true" };
        await snapshots.PrepareAsync("kept", null, leased, Ct);
        await snapshots.PrepareAsync("alone", null, leased, Ct);
        await snapshots.PrepareAsync("mounted", null, Store.Labels.None, Ct);
        var containers = _root.Root.Containers(CollectedRoot.Namespace);
        await containers.CreateAsync(
            new Store.Containers.ContainerRecord { Id = "c", Labels = Store.Labels.None, Runtime = "r", Snapshotter = "native", SnapshotKey = "kept" }, Ct);

        await _root.Collector.CollectAsync(Ct);
        Assert.Equal(["kept", "mounted"], (await snapshots.WalkAsync(Ct)).Select(snapshot => snapshot.Name));

        await containers.RemoveAsync("c", Ct);
        await _root.Collector.CollectAsync(Ct);
        Assert.Equal(["mounted"], (await snapshots.WalkAsync(Ct)).Select(snapshot => snapshot.Name));
    }

    [Fact]
    public async Task Explain_Kept_ShowsTheChain_AndWhite_ShowsNone()
    {
        var leaf = await _root.BlobAsync("leaf");
        var top = await _root.BlobAsync("top", labels: (Ref, leaf.ToString()));
        await _root.ImageAsync("image", "top");
        var white = await _root.BlobAsync("white");

        var kept = await _root.Collector.ExplainAsync(Blob(leaf), Ct);
        var nothing = await _root.Collector.ExplainAsync(Blob(white), Ct);

        Assert.Equal(RootReason.Image, kept.Reason);
        Assert.Equal([new Resource(ResourceKind.Image, CollectedRoot.Namespace, "image"), Blob(top), Blob(leaf)], kept.Chain);
        Assert.Empty(nothing.Chain);
        await Assert.ThrowsAsync<Store.Errors.ImageStoreException>(
            () => _root.Collector.ExplainAsync(Blob(CollectedRoot.DigestOf("none")), Ct));

        static Resource Blob(Digest digest) => new(ResourceKind.Content, CollectedRoot.Namespace, digest.ToString());
    }

    [Fact]
    public async Task Collect_SeveralAtOnce_TakeTurns()
    {
        for (var i = 0; i < 20; i++)
        {
            await _root.BlobAsync($"{i}");
        }

        var reports = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _root.Collector.CollectAsync(Ct)));

        Assert.Equal(20, reports.Sum(report => report.Removed.Count));
    }

    private Task<Lease> LeaseAsync(TimeSpan? lifetime, params (string Key, string Value)[] labels) =>
        _root.Root.Leases(CollectedRoot.Namespace).CreateAsync("lease", lifetime, labels.ToDictionary(label => label.Key, label => label.Value), Ct);
}
