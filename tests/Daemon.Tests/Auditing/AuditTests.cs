using System.Text.Json;
using Grpc.Core;
using ImageStore.Daemon.Protocol.ContentV1;
using ImageStore.Daemon.Protocol.ImagesV1;
using ImageStore.Daemon.Protocol.LeasesV1;
using ImageStore.Daemon.Protocol.NamespacesV1;
using ImageStore.Daemon.Tests.Support;

namespace ImageStore.Daemon.Tests.Auditing;

/// <summary>What a daemon writes of the calls to it.</summary>
public sealed class AuditTests
{
    private const string WithFile = "[audit]\nfile = \"WORK/log/audit.log\"\n";

    private const string WithWriter =
        """
        [daemon]
        socket_group = 4242
        [[access]]
        users = [1001]
        namespaces = ["team-a"]
        may = ["write"]

        """;

    private static readonly Metadata s_in = RunningDaemon.In("ns");

    [Fact]
    public async Task File_HasEachCallThatChangesSomething_AndNoneThatReads()
    {
        await using var daemon = await RunningDaemon.StartAsync(WithFile);
        var spaces = new Namespaces.NamespacesClient(daemon.Channel);
        await spaces.CreateAsync(new CreateNamespaceRequest { Namespace = new() { Name = "ns", Labels = { ["key"] = "hidden" } } }, RunningDaemon.In("other"));
        await Calls.FailsAsync(spaces.DeleteAsync(new DeleteNamespaceRequest { Name = "none" }), StatusCode.NotFound);
        var digest = await new Content.ContentClient(daemon.Channel).WriteAsync("hidden", s_in);
        var images = new Images.ImagesClient(daemon.Channel);
        await images.ListAsync(new ListImagesRequest(), s_in);
        await Calls.FailsAsync(images.DeleteAsync(new DeleteImageRequest { Name = "evil\n\u001b[2J" }, s_in), StatusCode.NotFound);
        var lease = (await new Leases.LeasesClient(daemon.Channel).CreateAsync(new CreateRequest(), s_in)).Lease.Id;

        Assert.Equal(
            [
                ("/containerd.services.namespaces.v1.Namespaces/Create", "ns", "ns", "OK"),
                ("/containerd.services.namespaces.v1.Namespaces/Delete", "none", "none", "NotFound"),
                ("/containerd.services.content.v1.Content/Write", "ns", $"ref-{digest} {digest}", "OK"),
                ("/containerd.services.images.v1.Images/Delete", "ns", @"evil\u000a\u001b[2J", "NotFound"),
                ("/containerd.services.leases.v1.Leases/Create", "ns", lease, "OK"),
            ],
            Read(daemon).Select(line => (Text(line, "method"), Text(line, "namespace"), Text(line, "about"), Text(line, "code"))));
        var first = Read(daemon)[0];
        Assert.Equal(Environment.IsPrivilegedProcess, first.GetProperty("uid").GetUInt32() == 0);
        Assert.Equal(Environment.ProcessId, first.GetProperty("pid").GetInt32());
        Assert.EndsWith("Z", Text(first, "time"), StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", File.ReadAllText(FileOf(daemon)), StringComparison.Ordinal);
        Assert.DoesNotContain(daemon.Told, line => line.Contains("audit", StringComparison.Ordinal) || line.StartsWith("denied", StringComparison.Ordinal));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FileOf(daemon)));
    }

    [Fact]
    public async Task Denials_AreInTheFileAndOnStandardError()
    {
        Somebody.NeedRoot();
        await using var daemon = await RunningDaemon.StartAsync(WithWriter + WithFile);
        using var writer = daemon.As(1001, 4242);
        using var stranger = daemon.As(1009, 4242);
        await Calls.FailsAsync(new Images.ImagesClient(writer).GetAsync(new GetImageRequest { Name = "image" }, s_in), StatusCode.PermissionDenied);
        await Calls.FailsAsync(new Images.ImagesClient(stranger).ListAsync(new ListImagesRequest(), s_in), StatusCode.PermissionDenied);
        await Assert.ThrowsAsync<RpcException>(() => new Content.ContentClient(writer).WriteAsync("x", s_in));
        Assert.Equal(
            [
                (1001u, "/containerd.services.images.v1.Images/Get", "ns", "PermissionDenied"),
                (1009u, "/containerd.services.images.v1.Images/List", "ns", "PermissionDenied"),
                (1001u, "/containerd.services.content.v1.Content/Write", "ns", "PermissionDenied"),
            ],
            Read(daemon).Select(line => (line.GetProperty("uid").GetUInt32(), Text(line, "method"), Text(line, "namespace"), Text(line, "code"))));
        Assert.Equal("image", Text(Read(daemon)[0], "about"));
        Assert.Equal(File.ReadLines(FileOf(daemon)).Select(line => $"denied: {line}"), daemon.Told.Where(line => line.StartsWith("denied", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Denials_WithoutAFile_AreToldOnStandardErrorAndAreBounded()
    {
        Somebody.NeedRoot();
        await using var daemon = await RunningDaemon.StartAsync(WithWriter);
        using var stranger = daemon.As(1009, 4242);
        using var writer = daemon.As(1001, 4242);
        for (var i = 0; i < 100; i++)
        {
            await Calls.FailsAsync(new Images.ImagesClient(stranger).ListAsync(new ListImagesRequest(), s_in), StatusCode.PermissionDenied);
        }

        await Calls.FailsAsync(new Images.ImagesClient(writer).ListAsync(new ListImagesRequest(), s_in), StatusCode.PermissionDenied);
        await new Namespaces.NamespacesClient(daemon.Channel).CreateAsync(new CreateNamespaceRequest { Namespace = new() { Name = "ns" } });
        var told = daemon.Told.Where(line => line.StartsWith("denied: {", StringComparison.Ordinal)).ToList();

        // The minute begins with the first of them; were it over before the last, there would be some more.
        Assert.InRange(told.Count(line => line.Contains("\"uid\":1009", StringComparison.Ordinal)), 60, 99);
        Assert.Contains(told, line => line.Contains("\"more_denied_not_told\":true", StringComparison.Ordinal));
        Assert.Single(told, line => line.Contains("\"uid\":1001", StringComparison.Ordinal));
        Assert.DoesNotContain(daemon.Told, line => line.Contains("Namespaces/Create", StringComparison.Ordinal));
    }

    [Fact]
    public async Task StandardError_WhereItIsNamed_HasChanges()
    {
        await using var daemon = await RunningDaemon.StartAsync("[audit]\nfile = \"stderr\"");
        await new Namespaces.NamespacesClient(daemon.Channel).CreateAsync(new CreateNamespaceRequest { Namespace = new() { Name = "ns" } });
        await new Namespaces.NamespacesClient(daemon.Channel).ListAsync(new ListNamespacesRequest());
        var line = Assert.Single(daemon.Told, line => line.StartsWith("audit: {", StringComparison.Ordinal));
        Assert.Contains("\"about\":\"ns\",\"code\":\"OK\"", line, StringComparison.Ordinal);
    }

    private static string FileOf(RunningDaemon daemon) => Path.Combine(daemon.Work, "log", "audit.log");

    private static List<JsonElement> Read(RunningDaemon daemon) =>
        [.. File.ReadLines(FileOf(daemon)).Select(line => JsonDocument.Parse(line).RootElement)];

    private static string? Text(JsonElement line, string name) => line.TryGetProperty(name, out var text) ? text.GetString() : null;
}
