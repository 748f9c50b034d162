using System.Text;
using Google.Protobuf;
using Grpc.Core;
using ImageStore.Daemon.Protocol.ImagesV1;
using ImageStore.Daemon.Protocol.SnapshotsV1;
using ImageStore.Daemon.Protocol.Transfers;
using ImageStore.Daemon.Protocol.TransferV1;
using ImageStore.Daemon.Tests.Support;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Oci;
using ImageStore.TestKit;
using ImageReference = ImageStore.Daemon.Protocol.Transfers.ImageReference;
using Stored = ImageStore.Daemon.Protocol.Transfers.ImageStore;

namespace ImageStore.Daemon.Tests.Transfers;

/// <summary>What containerd's newer clients have the daemon do for them. The registry and how images are unpacked have tests of their own.</summary>
public sealed class TransferTests : IAsyncLifetime
{
    private const string Native = "native";
    private static readonly Metadata s_in = RunningDaemon.In("ns");
    private readonly FakeRegistry _registry = new();
    private readonly DirectoryInfo _docker = Directory.CreateTempSubdirectory("docker-");
    private RunningDaemon _daemon = null!;

    private Transfer.TransferClient Client => new(_daemon.Channel);

    private Images.ImagesClient StoredImages => new(_daemon.Channel);

    private string Reference => $"{_registry.Host}/{ImageBuilder.Repository}:1";

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "unpacking needs root");
        _daemon = await RunningDaemon.StartAsync(registry: new RegistryOptions
        {
            DockerConfigDirectory = _docker.FullName, RetryDelay = TimeSpan.FromMilliseconds(1), MaxRetryDelay = TimeSpan.FromMilliseconds(5),
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_daemon is not null)
        {
            await _daemon.DisposeAsync();
        }

        await _registry.DisposeAsync();
        _docker.Delete(recursive: true);
    }

    [Fact]
    public async Task Pull_StoresUnpacksAndTells()
    {
        var target = _registry.AddImage("1", ImageBuilder.Tar("a", 300_000), ImageBuilder.Tar("b", 10));
        using var progress = await OpenStream.OpenAsync(_daemon, "p", s_in);

        await TransferAsync(
            new OCIRegistry { Reference = Reference },
            new Stored
            {
                Name = "other.io/name:2",
                Labels = { ["x"] = "1" },
                Unpacks = { new UnpackConfiguration { Snapshotter = Native } },
                ExtraReferences = { new ImageReference { Name = "other.io/name", IsPrefix = true, AddDigest = true } },
            },
            progress.Id);

        var image = (await StoredImages.GetAsync(new GetImageRequest { Name = "other.io/name:2" }, s_in)).Image;
        Assert.Equal((target.Digest.ToString(), "1"), (image.Target.Digest, image.Labels["x"]));
        Assert.Equal(2, await SnapshotsAsync());
        var told = await progress.ProgressAsync();
        Assert.Equal($"Pulling from {Reference}", told[0].Event);
        Assert.Equal($"Completed pull from {Reference}", told[^1].Event);
        Assert.Contains(told, one => one is { Event: "saved", Name: "other.io/name:2" } && one.Desc.Digest == target.Digest.ToString());
        Assert.Equal(2, told.Count(one => one is { Event: "complete" } && one.Name.StartsWith("layer-sha256:", StringComparison.Ordinal) && one.Progress_ == one.Total));

        // A further name goes with the first, and only then.
        var further = $"other.io/name@{target.Digest}";
        Assert.Contains(further, await NamesAsync());
        await StoredImages.DeleteAsync(new DeleteImageRequest { Name = "other.io/name:2", Sync = true }, s_in);
        Assert.Empty(await NamesAsync());
        Assert.Equal(0, await SnapshotsAsync());
    }

    [Fact]
    public async Task Pull_AsksTheClientForCredentials_AndNeverUsesTheDaemons()
    {
        const string Basic = "Basic dXNlcjpzZWNyZXQ=";
        _registry.AddImage("1", ImageBuilder.Tar("a", 10));
        _registry.Intercept = request => request.Header("Authorization") == Basic
            ? null
            : FakeResponse.Text(401, "{}", ("WWW-Authenticate", "Basic realm=\"r\""));
        await File.WriteAllTextAsync(
            Path.Combine(_docker.FullName, "config.json"), $$"""{ "auths": { "{{_registry.Host}}": { "auth": "dXNlcjpzZWNyZXQ=" } } }""", TestContext.Current.CancellationToken);
        var refused = await Assert.ThrowsAsync<RpcException>(() => TransferAsync(new OCIRegistry { Reference = Reference }, new Stored { Name = "a" }));
        Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
        Assert.Empty(await NamesAsync());

        using var auth = await OpenStream.OpenAsync(_daemon, "auth", s_in);
        var pull = TransferAsync(new OCIRegistry { Reference = Reference, Resolver = new RegistryResolver { AuthStream = auth.Id } }, new Stored { Name = "a" });
        var asked = AuthRequest.Parser.ParseFrom((await auth.NextAsync())!.Value);
        Assert.Equal((_registry.Host, Reference), (asked.Host, asked.Reference));
        await auth.SendAsync(new AuthResponse { AuthType = AuthType.Credentials, Username = "user", Secret = "secret" });
        await pull;

        Assert.Equal(["a"], await NamesAsync());
        Assert.Null(await auth.NextAsync());
    }

    [Fact]
    public async Task Pull_SendsTheClientsHeaders_AndSpeaksItsScheme()
    {
        _registry.AddImage("1", ImageBuilder.Tar("a", 10));

        await TransferAsync(
            new OCIRegistry { Reference = Reference, Resolver = new RegistryResolver { Headers = { ["x-who"] = "me" }, DefaultScheme = "http" } }, new Stored { Name = "a" });

        Assert.All(_registry.Requests, request => Assert.Equal("me", request.Header("x-who")));
    }

    [Theory]
    [InlineData("a b", "x")]
    [InlineData("x", "a\r\nb: c")]
    [InlineData("Content-Length", "5")]
    [InlineData("", "x")]
    public async Task Pull_WithAHeaderThatCannotBeSent_IsRefused(string name, string value)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(() => TransferAsync(
            new OCIRegistry { Reference = Reference, Resolver = new RegistryResolver { Headers = { [name] = value } } }, new Stored { Name = "a" }));

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Empty(_registry.Requests);
    }

    [Fact]
    public async Task Push_TakesWhatTheStoreHas()
    {
        var target = _registry.AddImage("1", ImageBuilder.Tar("a", 10));
        await TransferAsync(new OCIRegistry { Reference = Reference }, new Stored { Name = "a" });

        await TransferAsync(new Stored { Name = "a" }, new OCIRegistry { Reference = $"{_registry.Host}/other/place:3" });

        Assert.Equal(target.Digest, Digest.Compute(_registry.Find("/v2/other/place/manifests/3")!));
    }

    [Fact]
    public async Task Push_OfOnePlatformOfAnIndexWithHoles_PushesItsImage_AndOfAWholeOneTheIndex()
    {
        Descriptor Image(string tag, string architecture) => _registry.AddImage(
            tag, [_registry.AddBlob(ImageBuilder.Repository, ImageBuilder.Gzip(ImageBuilder.Tar(tag, 10)))], [Digest.Compute(ImageBuilder.Tar(tag, 10))], Platform.Parse(architecture));
        var (here, there) = (Image("h", "amd64"), Image("t", "s390x"));
        var index = _registry.AddIndex("1", (here, "linux/amd64"), (there, "linux/s390x"));
        var amd64 = new Runtime.Protocol.Types.Platform { Os = "linux", Architecture = "amd64" };
        await TransferAsync(new OCIRegistry { Reference = Reference }, new Stored { Name = "part", Platforms = { amd64 } });
        await TransferAsync(new Stored { Name = "part", Platforms = { amd64 } }, new OCIRegistry { Reference = $"{_registry.Host}/p:1" });
        Assert.Equal(here.Digest, Digest.Compute(_registry.Find("/v2/p/manifests/1")!));
        var refused = await Assert.ThrowsAsync<RpcException>(() => TransferAsync(new Stored { Name = "part" }, new OCIRegistry { Reference = $"{_registry.Host}/p:2" }));
        Assert.Equal(StatusCode.NotFound, refused.StatusCode);

        await TransferAsync(new OCIRegistry { Reference = Reference }, new Stored { Name = "whole" });
        await TransferAsync(new Stored { Name = "whole", Platforms = { amd64 } }, new OCIRegistry { Reference = $"{_registry.Host}/w:1" });
        Assert.Equal(index.Digest, Digest.Compute(_registry.Find("/v2/w/manifests/1")!));
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(1 << 20)]
    public async Task Export_ThenImport_BringsTheSame(int window)
    {
        var target = _registry.AddImage("1", ImageBuilder.Tar("a", 3_000_000));
        await TransferAsync(new OCIRegistry { Reference = Reference }, new Stored { Name = "docker.io/library/a:1" });
        using var exported = await OpenStream.OpenAsync(_daemon, "e", s_in);
        var export = TransferAsync(
            new Stored { ExtraReferences = { new ImageReference { Name = "docker.io/library/a:1" } } }, new ImageExportStream { Stream = exported.Id });
        var archive = await exported.ReadAllAsync(window);
        await export;

        var other = RunningDaemon.In("other");
        using var imported = await OpenStream.OpenAsync(_daemon, "i", other);
        using var progress = await OpenStream.OpenAsync(_daemon, "p", other);
        var import = TransferAsync(
            new ImageImportStream { Stream = imported.Id },
            new Stored
            {
                ExtraReferences = { new ImageReference { Name = "import", IsPrefix = true, AllowOverwrite = true } },
                Unpacks = { new UnpackConfiguration { Snapshotter = Native } },
            },
            progress.Id,
            other);
        await imported.SendAllAsync(archive);
        await import;

        var image = (await StoredImages.GetAsync(new GetImageRequest { Name = "docker.io/library/a:1" }, other)).Image;
        Assert.Equal(target.Digest.ToString(), image.Target.Digest);
        Assert.Equal(1, await SnapshotsAsync(other));
        Assert.Contains(await progress.ProgressAsync(), told => told is { Event: "saved", Name: "docker.io/library/a:1" });
        Assert.Null(await NextButWindowsAsync(imported));
    }

    [Fact]
    public async Task Import_OfHalfAnArchive_NamesNothing_AndEndsTheStreamWithAnError()
    {
        using var imported = await OpenStream.OpenAsync(_daemon, "i", s_in);
        var import = TransferAsync(new ImageImportStream { Stream = imported.Id }, Prefixed("import"));
        await imported.SendAllAsync(Encoding.UTF8.GetBytes(new string('x', 5000)));

        Assert.Equal(StatusCode.FailedPrecondition, (await Assert.ThrowsAsync<RpcException>(() => import)).StatusCode);
        Assert.Equal(StatusCode.FailedPrecondition, (await Assert.ThrowsAsync<RpcException>(() => NextButWindowsAsync(imported))).StatusCode);
        Assert.Empty(await NamesAsync());
    }

    [Fact]
    public async Task Import_WhoseClientIsGone_IsUnavailable_AndTheDaemonGoesOn()
    {
        var imported = await OpenStream.OpenAsync(_daemon, "i", s_in);
        var import = TransferAsync(new ImageImportStream { Stream = imported.Id }, Prefixed("import"));
        Assert.NotNull(await imported.NextAsync());
        imported.Dispose();

        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => import)).StatusCode);
        Assert.Empty(await NamesAsync());
    }

    [Fact]
    public async Task Import_OfMoreThanTheWindow_IsRefused()
    {
        using var imported = await OpenStream.OpenAsync(_daemon, "i", s_in);
        var import = TransferAsync(new ImageImportStream { Stream = imported.Id }, Prefixed("import"));
        await imported.SendAsync(new Data { Data_ = ByteString.CopyFrom(new byte[3 << 20]) });

        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(() => import)).StatusCode);
    }

    [Fact]
    public async Task Export_OfWhatIsNotThere_EndsTheStreamWithAnError()
    {
        using var exported = await OpenStream.OpenAsync(_daemon, "e", s_in);

        var failed = await Assert.ThrowsAsync<RpcException>(() => TransferAsync(new Stored { Name = "none" }, new ImageExportStream { Stream = exported.Id }));

        Assert.Equal(StatusCode.NotFound, failed.StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(exported.NextAsync)).StatusCode);
    }

    [Fact]
    public async Task Export_OfNothing_OrOfMoreThanAnybodyNeeds_IsRefused()
    {
        using var first = await OpenStream.OpenAsync(_daemon, "e", s_in);
        var nothing = await Assert.ThrowsAsync<RpcException>(() => TransferAsync(new Stored(), new ImageExportStream { Stream = first.Id }));
        Assert.Equal(StatusCode.InvalidArgument, nothing.StatusCode);
        var many = new Stored();
        many.ExtraReferences.AddRange(Enumerable.Range(0, 1025).Select(_ => new ImageReference { Name = "a" }));
        var refused = await Assert.ThrowsAsync<RpcException>(() => TransferAsync(many, new ImageExportStream { Stream = first.Id }));
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
    }

    [Fact]
    public async Task Tag_NamesTheSame_WhateverWasCalledSoBefore()
    {
        var target = _registry.AddImage("1", ImageBuilder.Tar("a", 10));
        await TransferAsync(new OCIRegistry { Reference = Reference }, new Stored { Name = "a" });
        _registry.AddImage("1", ImageBuilder.Tar("b", 10));
        await TransferAsync(new OCIRegistry { Reference = Reference }, new Stored { Name = "b" });

        await TransferAsync(new Stored { Name = "a" }, new Stored { Name = "b" });

        Assert.Equal(target.Digest.ToString(), (await StoredImages.GetAsync(new GetImageRequest { Name = "b" }, s_in)).Image.Target.Digest);
        var missing = await Assert.ThrowsAsync<RpcException>(() => TransferAsync(new Stored { Name = "none" }, new Stored { Name = "c" }));
        Assert.Equal(StatusCode.NotFound, missing.StatusCode);
        var nameless = await Assert.ThrowsAsync<RpcException>(() => TransferAsync(new Stored { Name = "a" }, new Stored()));
        Assert.Equal(StatusCode.InvalidArgument, nameless.StatusCode);
    }

    [Fact]
    public async Task WhatCannotBeMoved_IsUnimplemented()
    {
        var failed = await Assert.ThrowsAsync<RpcException>(() => TransferAsync(new OCIRegistry(), new OCIRegistry()));

        Assert.Equal(StatusCode.Unimplemented, failed.StatusCode);
        Assert.Contains("OCIRegistry", failed.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Streams_AreTakenOnce_AndAreOfTheirNamespace()
    {
        using var first = await OpenStream.OpenAsync(_daemon, "s", s_in);
        var taken = await Assert.ThrowsAsync<RpcException>(() => OpenStream.OpenAsync(_daemon, "s", s_in));
        Assert.Equal(StatusCode.AlreadyExists, taken.StatusCode);
        using var same = await OpenStream.OpenAsync(_daemon, "s", RunningDaemon.In("other"));
        var unnamed = await Assert.ThrowsAsync<RpcException>(() => OpenStream.OpenAsync(_daemon, string.Empty, s_in));
        Assert.Equal(StatusCode.InvalidArgument, unnamed.StatusCode);

        // Of the two that ask for it, only the first gets it; both have nothing to export.
        for (var i = 0; i < 2; i++)
        {
            await Assert.ThrowsAsync<RpcException>(() => TransferAsync(new Stored { Name = "none" }, new ImageExportStream { Stream = "s" }));
        }

        var gone = await Assert.ThrowsAsync<RpcException>(() => TransferAsync(new Stored { Name = "none" }, new ImageExportStream { Stream = "s" }));
        Assert.Contains("There is no stream s", gone.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Streams_BeyondTheLimit_AreRefused_UntilOthersEnd()
    {
        List<OpenStream> open = [];
        for (var i = 0; i < DaemonLimits.StreamsOfAUser; i++)
        {
            open.Add(await OpenStream.OpenAsync(_daemon, $"s{i}", s_in));
        }

        var refused = await Assert.ThrowsAsync<RpcException>(() => OpenStream.OpenAsync(_daemon, "one more", s_in));
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        using var elsewhere = await OpenStream.OpenAsync(_daemon, "one more", RunningDaemon.In("other"));
        await open[0].CompleteAsync();
        open.ForEach(stream => stream.Dispose());
        for (var i = 0; ; i++)
        {
            try
            {
                (await OpenStream.OpenAsync(_daemon, "again", s_in)).Dispose();
                break;
            }
            catch (RpcException failure) when (failure.StatusCode == StatusCode.ResourceExhausted && i < 1000)
            {
                // The daemon has yet to hear that they have ended.
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }
        }
    }

    private static Stored Prefixed(string prefix) =>
        new() { ExtraReferences = { new ImageReference { Name = prefix, IsPrefix = true, AllowOverwrite = true } } };

    private static async Task<object?> NextButWindowsAsync(OpenStream stream)
    {
        while (await stream.NextAsync() is { } message)
        {
            if (message.TypeUrl != WindowUpdate.Descriptor.FullName)
            {
                return message;
            }
        }

        return null;
    }

    private async Task TransferAsync(IMessage from, IMessage to, string? progress = null, Metadata? headers = null) => await Client.TransferAsync(
        new TransferRequest
        {
            Source = OpenStream.Pack(from), Destination = OpenStream.Pack(to), Options = new TransferOptions { ProgressStream = progress ?? string.Empty },
        },
        headers ?? s_in);

    private async Task<IEnumerable<string>> NamesAsync() =>
        (await StoredImages.ListAsync(new ListImagesRequest(), s_in)).Images.Select(image => image.Name);

    private async Task<int> SnapshotsAsync(Metadata? headers = null)
    {
        var snapshots = new Snapshots.SnapshotsClient(_daemon.Channel);
        return (await Calls.AllAsync(snapshots.List(new ListSnapshotsRequest { Snapshotter = Native }, headers ?? s_in))).Sum(batch => batch.Info.Count);
    }
}
