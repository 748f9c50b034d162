using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using ImageStore.Daemon.Protocol.ImagesV1;
using ImageStore.Daemon.Protocol.NamespacesV1;
using ImageStore.Daemon.Protocol.Transfers;
using ImageStore.Daemon.Protocol.TransferV1;
using ImageStore.Daemon.Tests.Support;
using ImageStore.Distribution.Registry;
using ImageStore.TestKit;
using Stored = ImageStore.Daemon.Protocol.Transfers.ImageStore;

namespace ImageStore.Daemon.Tests.Transfers;

/// <summary>What others than root may have moved for them.</summary>
public sealed class TransferAccessTests : IAsyncLifetime
{
    private const uint Writer = 1001;
    private const uint Other = 1002;
    private const uint Reader = 1003;

    private const string Configuration =
        """
        [daemon]
        socket_group = 4242
        [[access]]
        users = [1001, 1002]
        namespaces = ["team"]
        may = ["write"]
        [[access]]
        users = [1003]
        namespaces = ["team"]
        may = ["read"]
        """;

    private static readonly Metadata s_in = RunningDaemon.In("team");
    private readonly DirectoryInfo _hosts = Directory.CreateTempSubdirectory("hosts-");
    private readonly FakeRegistry _registry = new();
    private RunningDaemon _daemon = null!;
    private GrpcChannel _writer = null!;
    private GrpcChannel _other = null!;
    private GrpcChannel _reader = null!;

    private string Reference => $"{_registry.Host}/{ImageBuilder.Repository}:1";

    public async ValueTask InitializeAsync()
    {
        Somebody.NeedRoot();
        _daemon = await RunningDaemon.StartAsync(Configuration, new RegistryOptions { HostsDirectories = [_hosts.FullName] });
        await new Namespaces.NamespacesClient(_daemon.Channel).CreateAsync(
            new CreateNamespaceRequest { Namespace = new Namespace { Name = "team" } }, cancellationToken: TestContext.Current.CancellationToken);
        (_writer, _other, _reader) = (_daemon.As(Writer, 4242), _daemon.As(Other, 4242), _daemon.As(Reader, 4242));
        _registry.AddImage("1", ImageBuilder.Tar("a", 10));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var channel in (GrpcChannel?[])[_writer, _other, _reader])
        {
            channel?.Dispose();
        }

        await (_daemon?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _registry.DisposeAsync();
        _hosts.Delete(recursive: true);
    }

    [Fact]
    public async Task Pull_OfAWriter_IsDone_AndOfAReaderRefused()
    {
        var pull = Request(new OCIRegistry { Reference = Reference }, new Stored { Name = "a" });
        await Calls.FailsAsync(new Transfer.TransferClient(_reader).TransferAsync(pull, s_in), StatusCode.PermissionDenied);

        await new Transfer.TransferClient(_writer).TransferAsync(pull, s_in);

        Assert.Equal("a", (await new Images.ImagesClient(_reader).GetAsync(new GetImageRequest { Name = "a" }, s_in)).Image.Name);
    }

    [Fact]
    public async Task Pull_WithAHostsDirectory_IsRootsAlone()
    {
        // Such a directory may name keys that are read, and credential helpers that are run, as root.
        var directory = Directory.CreateDirectory(Path.Combine(_daemon.Work, "hosts")).FullName;
        var pull = Request(new OCIRegistry { Reference = Reference, Resolver = new RegistryResolver { HostDir = directory } }, new Stored { Name = "a" });

        var refused = await Calls.FailsAsync(new Transfer.TransferClient(_writer).TransferAsync(pull, s_in), StatusCode.PermissionDenied);

        Assert.Contains(directory, refused.Detail, StringComparison.Ordinal);
        Assert.Empty(_registry.Requests);
        await new Transfer.TransferClient(_daemon.Channel).TransferAsync(pull, s_in);
    }

    [Fact]
    public async Task Pull_WithCredentialsThatRootHasConfigured_IsRootsAlone()
    {
        _registry.Intercept = request => request.Header("Authorization") == "Basic dXNlcjpzZWNyZXQ="
            ? null
            : FakeResponse.Text(401, "{}", ("WWW-Authenticate", "Basic realm=\"r\""));
        var host = $"http://{_registry.Host}";
        await File.WriteAllTextAsync(
            Path.Combine(_hosts.CreateSubdirectory(_registry.Host).FullName, "hosts.toml"),
            $"""
            server = "{host}"
            [host."{host}".auth]
            username = "user"
            password = "secret"
            """,
            TestContext.Current.CancellationToken);
        var pull = Request(new OCIRegistry { Reference = Reference }, new Stored { Name = "a" });

        await Calls.FailsAsync(new Transfer.TransferClient(_writer).TransferAsync(pull, s_in), StatusCode.Unauthenticated);

        await new Transfer.TransferClient(_daemon.Channel).TransferAsync(pull, s_in);
    }

    [Fact]
    public async Task Streams_OfOneUser_TakeNoneFromOthers()
    {
        List<OpenStream> open = [];
        for (var i = 0; i < DaemonLimits.StreamsOfAUser; i++)
        {
            open.Add(await OpenStream.OpenAsync(_reader, $"s{i}", s_in));
        }

        var refused = await Assert.ThrowsAsync<RpcException>(() => OpenStream.OpenAsync(_reader, "one more", s_in));
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        using var others = await OpenStream.OpenAsync(_writer, "one more", s_in);
        open.ForEach(stream => stream.Dispose());
    }

    [Fact]
    public async Task Streams_OfAnotherUser_AreNotFound()
    {
        using var auth = await OpenStream.OpenAsync(_writer, "auth", s_in);
        var pull = Request(new OCIRegistry { Reference = Reference, Resolver = new RegistryResolver { AuthStream = "auth" } }, new Stored { Name = "a" });

        await Calls.FailsAsync(new Transfer.TransferClient(_other).TransferAsync(pull, s_in), StatusCode.NotFound);
        await new Transfer.TransferClient(_writer).TransferAsync(pull, s_in);
    }

    [Fact]
    public async Task Transfer_OfMalformedParts_IsInvalid()
    {
        var request = Request(new OCIRegistry(), new Stored());
        request.Source = new Any { TypeUrl = OCIRegistry.Descriptor.FullName, Value = ByteString.CopyFrom(0xFF, 0xFF) };

        await Calls.FailsAsync(new Transfer.TransferClient(_writer).TransferAsync(request, s_in), StatusCode.InvalidArgument);
        await Calls.FailsAsync(new Transfer.TransferClient(_writer).TransferAsync(new TransferRequest(), s_in), StatusCode.Unimplemented);
    }

    private static TransferRequest Request(IMessage from, IMessage to) => new() { Source = OpenStream.Pack(from), Destination = OpenStream.Pack(to) };
}
