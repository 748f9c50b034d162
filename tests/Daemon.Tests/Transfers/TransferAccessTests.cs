using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Protocol.ImagesV1;
using ImageStore.Daemon.Protocol.Transfers;
using ImageStore.Daemon.Protocol.TransferV1;
using ImageStore.Daemon.Tests.Support;
using ImageStore.TestKit;
using Stored = ImageStore.Daemon.Protocol.Transfers.ImageStore;

namespace ImageStore.Daemon.Tests.Transfers;

/// <summary>What others than root may have moved for them.</summary>
public sealed class TransferAccessTests : TeamTest
{
    [Fact]
    public async Task Pull_OfAWriter_IsDone_AndOfAReaderRefused()
    {
        var pull = Request(new OCIRegistry { Reference = Reference }, new Stored { Name = "a" });
        await Calls.FailsAsync(new Transfer.TransferClient(As(Reader)).TransferAsync(pull, InTeam), StatusCode.PermissionDenied);

        await new Transfer.TransferClient(As(Writer)).TransferAsync(pull, InTeam);

        Assert.Equal("a", (await new Images.ImagesClient(As(Reader)).GetAsync(new GetImageRequest { Name = "a" }, InTeam)).Image.Name);
    }

    [Fact]
    public async Task Pull_WithAHostsDirectory_IsRootsAlone()
    {
        // Such a directory may name keys that are read, and credential helpers that are run, as root.
        var directory = Directory.CreateDirectory(Path.Combine(Daemon.Work, "hosts")).FullName;
        var pull = Request(new OCIRegistry { Reference = Reference, Resolver = new RegistryResolver { HostDir = directory } }, new Stored { Name = "a" });

        var refused = await Calls.FailsAsync(new Transfer.TransferClient(As(Writer)).TransferAsync(pull, InTeam), StatusCode.PermissionDenied);

        Assert.Contains(directory, refused.Detail, StringComparison.Ordinal);
        Assert.Empty(Registry.Requests);
        await new Transfer.TransferClient(Daemon.Channel).TransferAsync(pull, InTeam);
    }

    [Fact]
    public async Task Pull_WithCredentialsThatRootHasConfigured_IsRootsAlone()
    {
        Registry.Intercept = request => request.Header("Authorization") == "Basic dXNlcjpzZWNyZXQ="
            ? null
            : FakeResponse.Text(401, "{}", ("WWW-Authenticate", "Basic realm=\"r\""));
        var host = $"http://{Registry.Host}";
        await File.WriteAllTextAsync(
            Path.Combine(Hosts.CreateSubdirectory(Registry.Host).FullName, "hosts.toml"),
            $"""
            server = "{host}"
            [host."{host}".auth]
            username = "user"
            password = "secret"
            """,
            Ct);
        var pull = Request(new OCIRegistry { Reference = Reference }, new Stored { Name = "a" });

        await Calls.FailsAsync(new Transfer.TransferClient(As(Writer)).TransferAsync(pull, InTeam), StatusCode.Unauthenticated);

        await new Transfer.TransferClient(Daemon.Channel).TransferAsync(pull, InTeam);
    }

    [Fact]
    public async Task Streams_OfOneUser_TakeNoneFromOthers()
    {
        List<OpenStream> open = [];
        for (var i = 0; i < DaemonLimits.StreamsOfAUser; i++)
        {
            open.Add(await OpenStream.OpenAsync(As(Reader), $"s{i}", InTeam));
        }

        var refused = await Assert.ThrowsAsync<RpcException>(() => OpenStream.OpenAsync(As(Reader), "one more", InTeam));
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        using var others = await OpenStream.OpenAsync(As(Writer), "one more", InTeam);
        open.ForEach(stream => stream.Dispose());
    }

    [Fact]
    public async Task Streams_OfAnotherUser_AreNotFound()
    {
        using var auth = await OpenStream.OpenAsync(As(Writer), "auth", InTeam);
        var pull = Request(new OCIRegistry { Reference = Reference, Resolver = new RegistryResolver { AuthStream = "auth" } }, new Stored { Name = "a" });

        await Calls.FailsAsync(new Transfer.TransferClient(As(Other)).TransferAsync(pull, InTeam), StatusCode.NotFound);
        await new Transfer.TransferClient(As(Writer)).TransferAsync(pull, InTeam);
    }

    [Fact]
    public async Task Transfer_OfMalformedParts_IsInvalid()
    {
        var request = Request(new OCIRegistry(), new Stored());
        request.Source = new Any { TypeUrl = OCIRegistry.Descriptor.FullName, Value = ByteString.CopyFrom(0xFF, 0xFF) };

        await Calls.FailsAsync(new Transfer.TransferClient(As(Writer)).TransferAsync(request, InTeam), StatusCode.InvalidArgument);
        await Calls.FailsAsync(new Transfer.TransferClient(As(Writer)).TransferAsync(new TransferRequest(), InTeam), StatusCode.Unimplemented);
    }

    private static TransferRequest Request(IMessage from, IMessage to) => new() { Source = OpenStream.Pack(from), Destination = OpenStream.Pack(to) };
}
