using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Protocol.ContainersV1;
using ImageStore.Daemon.Protocol.ContentV1;
using ImageStore.Daemon.Protocol.ImagesV1;
using ImageStore.Runtime.Protocol.Types;
using ImageStore.Daemon.Tests.Support;

namespace ImageStore.Daemon.Tests.Api;

public sealed class ImagesAndContainersTests : IAsyncLifetime
{
    private static readonly Metadata s_in = RunningDaemon.In("ns");
    private RunningDaemon _daemon = null!;

    private Images.ImagesClient Named => new(_daemon.Channel);

    private Containers.ContainersClient Kept => new(_daemon.Channel);

    public async ValueTask InitializeAsync() => _daemon = await RunningDaemon.StartAsync();

    public ValueTask DisposeAsync() => _daemon.DisposeAsync();

    [Fact]
    public async Task Image_FromItsMakingToItsEnd()
    {
        var made = (await Named.CreateAsync(new CreateImageRequest { Image = Image("a") }, s_in)).Image;
        Assert.Equal((Image("a").Target, made.CreatedAt), (made.Target, made.UpdatedAt));
        await Calls.FailsAsync(Named.CreateAsync(new CreateImageRequest { Image = Image("a") }, s_in), StatusCode.AlreadyExists);
        Assert.Equal(made, (await Named.GetAsync(new GetImageRequest { Name = "a" }, s_in)).Image);
        await Calls.FailsAsync(
            Named.DeleteAsync(new DeleteImageRequest { Name = "a", Target = new Blob { Digest = Blobs.DigestOf("other") } }, s_in), StatusCode.NotFound);
        await Named.DeleteAsync(new DeleteImageRequest { Name = "a", Target = made.Target, Sync = true }, s_in);
        await Calls.FailsAsync(Named.GetAsync(new GetImageRequest { Name = "a" }, s_in), StatusCode.NotFound);
    }

    [Fact]
    public async Task Update_ByMask_ChangesThatAlone()
    {
        await Named.CreateAsync(new CreateImageRequest { Image = Image("a", ("x", "1"), ("y", "2")) }, s_in);
        var change = new Image { Name = "a", Labels = { ["x"] = "3" }, Target = new Blob { Annotations = { ["n"] = "v" } } };
        var updated = await UpdateAsync(change, "labels.x", "labels.y", "annotations.n");
        Assert.Equal("3", Assert.Single(updated.Labels).Value);
        Assert.Equal((Blobs.DigestOf("a"), "v"), (updated.Target.Digest, updated.Target.Annotations["n"]));
        var moved = await UpdateAsync(Image("a", blob: "b"), "target");
        Assert.Equal((Blobs.DigestOf("b"), "3"), (moved.Target.Digest, moved.Labels["x"]));
        Assert.Empty((await UpdateAsync(Image("a"))).Labels);
        await Calls.FailsAsync(
            Named.UpdateAsync(new UpdateImageRequest { Image = Image("a"), UpdateMask = new FieldMask { Paths = { "name" } } }, s_in), StatusCode.InvalidArgument);
        await Calls.FailsAsync(Named.UpdateAsync(new UpdateImageRequest { Image = Image("none") }, s_in), StatusCode.NotFound);
    }

    [Fact]
    public async Task Create_WithAnEpoch_HasItsTime()
    {
        var epoch = new Timestamp { Seconds = 1000 };
        var made = await Named.CreateAsync(new CreateImageRequest { Image = Image("a"), SourceDateEpoch = epoch }, s_in);
        Assert.Equal(epoch, made.Image.CreatedAt);
    }

    [Theory]
    [InlineData("name==b", "b")]
    [InlineData("labels.x==1", "a")]
    [InlineData("target.mediatype~=manifest", "a,b")]
    [InlineData("target.digest==none", "")]
    public async Task List_AFilter_GivesWhatMatches(string filter, string names)
    {
        await Named.CreateAsync(new CreateImageRequest { Image = Image("a", ("x", "1")) }, s_in);
        await Named.CreateAsync(new CreateImageRequest { Image = Image("b") }, s_in);
        var found = await Named.ListAsync(new ListImagesRequest { Filters = { filter } }, s_in);
        Assert.Equal(names, string.Join(',', found.Images.Select(image => image.Name)));
    }

    [Fact]
    public async Task Delete_WithSync_LeavesNoBytesThatNothingKeeps()
    {
        var content = new Content.ContentClient(_daemon.Channel);
        var digest = await content.WriteAsync("a", s_in);
        await Named.CreateAsync(new CreateImageRequest { Image = Image("a") }, s_in);
        await Named.DeleteAsync(new DeleteImageRequest { Name = "a", Sync = true }, s_in);
        await Calls.FailsAsync(content.InfoAsync(new InfoRequest { Digest = digest }, s_in), StatusCode.NotFound);
    }

    [Theory]
    [InlineData("", "t", 1)]
    [InlineData("a", "", 1)]
    [InlineData("a", "t", 0)]
    public async Task Create_AMalformedImage_IsRefused(string name, string mediaType, long size) => await Calls.FailsAsync(
        Named.CreateAsync(
            new CreateImageRequest { Image = new Image { Name = name, Target = new Blob { MediaType = mediaType, Digest = Blobs.DigestOf("a"), Size = size } } }, s_in),
        StatusCode.InvalidArgument);

    [Fact]
    public async Task Container_FromItsMakingToItsEnd()
    {
        var made = (await Kept.CreateAsync(new CreateContainerRequest { Container = Container() }, s_in)).Container;
        var expected = Container();
        (expected.CreatedAt, expected.UpdatedAt) = (made.CreatedAt, made.UpdatedAt);
        Assert.Equal(expected, made);
        await Calls.FailsAsync(Kept.CreateAsync(new CreateContainerRequest { Container = Container() }, s_in), StatusCode.AlreadyExists);
        Assert.Equal(made, (await Kept.GetAsync(new GetContainerRequest { Id = "c" }, s_in)).Container);
        Assert.Equal([made], (await Kept.ListAsync(new ListContainersRequest { Filters = { "runtime.name==io.containerd.runc.v2" } }, s_in)).Containers);
        Assert.Equal(made, Assert.Single(await Calls.AllAsync(Kept.ListStream(new ListContainersRequest(), s_in))).Container);
        await Kept.DeleteAsync(new DeleteContainerRequest { Id = "c" }, s_in);
        await Calls.FailsAsync(Kept.DeleteAsync(new DeleteContainerRequest { Id = "c" }, s_in), StatusCode.NotFound);
    }

    [Fact]
    public async Task Update_AContainerByMask_ChangesThatAlone()
    {
        await Kept.CreateAsync(new CreateContainerRequest { Container = Container() }, s_in);
        var change = new Container { Id = "c", Labels = { ["l"] = "2" }, Spec = Any("other"), Image = "ignored" };
        var updated = (await Kept.UpdateAsync(
            new UpdateContainerRequest { Container = change, UpdateMask = new FieldMask { Paths = { "labels.l", "spec", "extensions.e" } } }, s_in)).Container;
        Assert.Equal(("2", "other", "image"), (updated.Labels["l"], updated.Spec.Value.ToStringUtf8(), updated.Image));
        Assert.Empty(updated.Extensions);
        var runtime = Container();
        runtime.Runtime.Name = "another";
        await Calls.FailsAsync(Kept.UpdateAsync(new UpdateContainerRequest { Container = runtime }, s_in), StatusCode.InvalidArgument);
        await Calls.FailsAsync(
            Kept.UpdateAsync(new UpdateContainerRequest { Container = change, UpdateMask = new FieldMask { Paths = { "runtime" } } }, s_in),
            StatusCode.InvalidArgument);
    }

    private async Task<Image> UpdateAsync(Image image, params string[] paths) =>
        (await Named.UpdateAsync(new UpdateImageRequest { Image = image, UpdateMask = new FieldMask { Paths = { paths } } }, s_in)).Image;

    private static Image Image(string name, params (string Key, string Value)[] labels) => Image(name, name, labels);

    private static Image Image(string name, string blob, params (string Key, string Value)[] labels)
    {
        var image = new Image
        {
            Name = name,
            Target = new Blob { MediaType = "application/vnd.oci.image.manifest.v1+json", Digest = Blobs.DigestOf(blob), Size = 1 },
        };
        foreach (var (key, value) in labels)
        {
            image.Labels[key] = value;
        }

        return image;
    }

    private static Container Container() => new()
    {
        Id = "c",
        Image = "image",
        Labels = { ["l"] = "1" },
        Runtime = new Container.Types.Runtime { Name = "io.containerd.runc.v2", Options = Any("options") },
        Spec = Any("spec"),
        Snapshotter = "native",
        SnapshotKey = "key",
        Extensions = { ["e"] = Any("extension") },
        Sandbox = "s",
    };

    private static Any Any(string value) => new() { TypeUrl = $"types/{value}", Value = ByteString.CopyFromUtf8(value) };
}
