using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Protocol.ContainersV1;
using ImageStore.Daemon.Protocol.TasksV1;
using ImageStore.Daemon.Tests.Support;
using ImageStore.Runtime.Protocol.Types;

namespace ImageStore.Daemon.Tests.Api;

/// <summary>How calls for tasks end that no shim has to be asked for. What shims do is in the integration tests.</summary>
public sealed class TasksServiceTests : IAsyncLifetime
{
    private static readonly Metadata s_in = RunningDaemon.In("ns");
    private RunningDaemon _daemon = null!;

    private Protocol.TasksV1.Tasks.TasksClient Client => new(_daemon.Channel);

    public async ValueTask InitializeAsync() => _daemon = await RunningDaemon.StartAsync();

    public ValueTask DisposeAsync() => _daemon.DisposeAsync();

    [Fact]
    public async Task AnyCall_ForATaskThatIsNot_IsNotFound()
    {
        await NotFoundAsync(Client.CreateAsync(new CreateTaskRequest { ContainerId = "none" }, s_in));
        await NotFoundAsync(Client.StartAsync(new StartRequest { ContainerId = "none" }, s_in));
        await NotFoundAsync(Client.DeleteAsync(new DeleteTaskRequest { ContainerId = "none" }, s_in));
        await NotFoundAsync(Client.DeleteProcessAsync(new DeleteProcessRequest { ContainerId = "none", ExecId = "x" }, s_in));
        await NotFoundAsync(Client.GetAsync(new GetRequest { ContainerId = "none" }, s_in));
        await NotFoundAsync(Client.KillAsync(new KillRequest { ContainerId = "none", Signal = 9 }, s_in));
        await NotFoundAsync(Client.ExecAsync(new ExecProcessRequest { ContainerId = "none", ExecId = "x" }, s_in));
        await NotFoundAsync(Client.ResizePtyAsync(new ResizePtyRequest { ContainerId = "none" }, s_in));
        await NotFoundAsync(Client.CloseIOAsync(new CloseIORequest { ContainerId = "none" }, s_in));
        await NotFoundAsync(Client.PauseAsync(new PauseTaskRequest { ContainerId = "none" }, s_in));
        await NotFoundAsync(Client.ResumeAsync(new ResumeTaskRequest { ContainerId = "none" }, s_in));
        await NotFoundAsync(Client.ListPidsAsync(new ListPidsRequest { ContainerId = "none" }, s_in));
        await NotFoundAsync(Client.UpdateAsync(new UpdateTaskRequest { ContainerId = "none" }, s_in));
        await NotFoundAsync(Client.WaitAsync(new WaitRequest { ContainerId = "none" }, s_in));
        Assert.Empty((await Client.ListAsync(new ListTasksRequest(), s_in)).Tasks);
        Assert.Empty((await Client.MetricsAsync(new MetricsRequest { Filters = { "id==none" } }, s_in)).Metrics);
    }

    [Fact]
    public async Task Create_OfWhatCannotRun_SaysWhy()
    {
        await AddAsync("no-spec", "io.containerd.runc.v2", spec: null);
        await AddAsync("no-runtime", "io.containerd.nobody-has-it.v9", "{}");
        await AddAsync("odd-runtime", "odd", "{}");
        Assert.Contains("no specification", (await Calls.FailsAsync(Create("no-spec"), StatusCode.FailedPrecondition)).Detail, StringComparison.Ordinal);
        Assert.Contains("containerd-shim-nobody-has-it-v9", (await Calls.FailsAsync(Create("no-runtime"), StatusCode.NotFound)).Detail, StringComparison.Ordinal);
        Assert.Contains("'odd' is no runtime", (await Calls.FailsAsync(Create("odd-runtime"), StatusCode.InvalidArgument)).Detail, StringComparison.Ordinal);
        await Calls.FailsAsync(
            Client.CreateAsync(new CreateTaskRequest { ContainerId = "no-spec", Checkpoint = new Blob { Digest = Blobs.DigestOf("x") } }, s_in),
            StatusCode.Unimplemented);
        Assert.Empty((await Client.ListAsync(new ListTasksRequest(), s_in)).Tasks);
    }

    [Fact]
    public async Task AProcessWithoutAName_IsRefused()
    {
        await Calls.FailsAsync(Client.ExecAsync(new ExecProcessRequest { ContainerId = "a" }, s_in), StatusCode.InvalidArgument);
        await Calls.FailsAsync(Client.DeleteProcessAsync(new DeleteProcessRequest { ContainerId = "a" }, s_in), StatusCode.InvalidArgument);
    }

    private static Task<Status> NotFoundAsync<T>(AsyncUnaryCall<T> call) => Calls.FailsAsync(call, StatusCode.NotFound);

    private AsyncUnaryCall<CreateTaskResponse> Create(string id) => Client.CreateAsync(new CreateTaskRequest { ContainerId = id }, s_in);

    private async Task AddAsync(string id, string runtime, string? spec) => await new Containers.ContainersClient(_daemon.Channel).CreateAsync(
        new CreateContainerRequest
        {
            Container = new Container
            {
                Id = id,
                Runtime = new Container.Types.Runtime { Name = runtime },
                Spec = spec is null ? null : new Any { TypeUrl = "spec", Value = ByteString.CopyFromUtf8(spec) },
            },
        },
        s_in);
}
