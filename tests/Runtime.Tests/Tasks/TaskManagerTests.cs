using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Happened;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Shims;
using ImageStore.Runtime.Tasks;
using ImageStore.Runtime.Tests.Support;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Tests.Tasks;

public sealed class TaskManagerTests : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly Folder _state = new();
    private readonly FakeShim _shim = new();
    private readonly BlockingCollection<(string Namespace, string Topic, IMessage Event)> _events = [];
    private readonly ConcurrentQueue<string> _told = [];
    private readonly List<TaskManager> _managers = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Bundle => _state.In("ns/id");

    public async ValueTask DisposeAsync()
    {
        foreach (var manager in _managers)
        {
            await manager.DisposeAsync();
        }

        _shim.Dispose();
        _state.Dispose();
        _events.Dispose();
    }

    [Fact]
    public async Task Create_MakesABundleOfItsOwn()
    {
        var tasks = Manager();
        Assert.Equal(42u, await tasks.CreateAsync(Creation(), Ct));
        Assert.Equal("{}", File.ReadAllText(Path.Combine(Bundle, "config.json")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Bundle, "config.json")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Bundle));
        Assert.Contains("\"version\":2", File.ReadAllText(Path.Combine(Bundle, "bootstrap.json")), StringComparison.Ordinal);
        Assert.Equal("id", Assert.Single(tasks.List("ns")).Id);
        Assert.Empty(tasks.List("other"));
    }

    [Fact]
    public async Task Create_InAUserNamespace_LetsItsRootToItsFiles()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, to give a group a directory");
        await Manager().CreateAsync(
            Creation() with { Spec = Encoding.UTF8.GetBytes("""{"linux":{"gidMappings":[{"containerID":0,"hostID":100000,"size":65536}]}}""") }, Ct);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute, File.GetUnixFileMode(Bundle));
        Assert.Equal(100000u, Store.Interop.FileMetadata.TryGet(Bundle)?.Gid);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("""{"linux":{"gidMappings":[{"containerID":"x"}]}}""")]
    [InlineData("""{"linux":{"gidMappings":[{"containerID":0}]}}""")]
    public async Task Create_OfAMalformedSpecification_LeavesNothing(string spec)
    {
        var tasks = Manager();
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => tasks.CreateAsync(Creation() with { Spec = Encoding.UTF8.GetBytes(spec) }, Ct));
        Assert.Equal(ErrorKind.InvalidArgument, failure.Kind);
        Assert.False(Directory.Exists(Bundle));
        Assert.Empty(_shim.Actions);
        await tasks.CreateAsync(Creation(), Ct);
    }

    [Fact]
    public async Task Create_Twice_AlreadyExists()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => tasks.CreateAsync(Creation(), Ct));
        Assert.Equal(ErrorKind.AlreadyExists, failure.Kind);
        Assert.Single(tasks.List("ns"));
    }

    [Fact]
    public async Task Create_ThatTheShimRefuses_SaysWhyAndLeavesNothing()
    {
        var tasks = Manager();
        _shim.Answer = method => method == "Create" ? throw new RpcException(RpcCode.InvalidArgument, "no such root") : FakeShim.Usual(method);
        var failure = await Assert.ThrowsAsync<RpcException>(() => tasks.CreateAsync(Creation(), Ct));
        Assert.Equal("no such root", failure.Message);
        Assert.Equal(["Create", "Shutdown"], _shim.Calls);
        Assert.Equal(["start", "delete"], _shim.Actions);
        Assert.False(Directory.Exists(Bundle));
        Assert.Empty(tasks.List("ns"));
        _shim.Answer = FakeShim.Usual;
        await tasks.CreateAsync(Creation(), Ct);
    }

    [Fact]
    public async Task Delete_HasTheShimEndAndGivesHowItEnded()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        var task = tasks.Get("ns", "id");
        Assert.Equal(5u, (await tasks.DeleteAsync(task, Ct)).ExitStatus);
        Assert.Equal(["Create", "Delete", "Shutdown"], _shim.Calls);
        Assert.False(Directory.Exists(Bundle));
        Assert.Equal(ErrorKind.NotFound, (await Assert.ThrowsAsync<ImageStoreException>(() => tasks.DeleteAsync(task, Ct))).Kind);
        Assert.Empty(_events);
    }

    [Fact]
    public async Task Wait_OfMany_IsOneOfTheShim_AndOneWhoGoesEndsHisAlone()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        var task = tasks.Get("ns", "id");
        using var gone = new CancellationTokenSource();
        var first = task.WaitAsync(string.Empty, gone.Token);
        var second = task.WaitAsync(string.Empty, Ct);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.False(second.IsCompleted);
        await _shim.CalledAsync("Wait", Ct);
        _shim.Kill();
        Assert.Equal(137u, (await second.WaitAsync(s_patience, Ct)).ExitStatus);
        Assert.Single(_shim.Calls, "Wait");
    }

    [Fact]
    public async Task Shim_Killed_IsCleanedUpAfterAndToldOf()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        var exec = tasks.Get("ns", "id").WaitAsync("exec", Ct);
        _shim.Kill();
        Assert.Equal(LostTask.UnknownStatus, (await exec.WaitAsync(s_patience, Ct)).ExitStatus);
        var exit = Assert.IsType<TaskExit>(Next("/tasks/exit"));
        Assert.Equal(("id", "id", 42u, 137u), (exit.ContainerId, exit.Id, exit.Pid, exit.ExitStatus));
        var deletion = Assert.IsType<TaskDelete>(Next("/tasks/delete"));
        Assert.Equal(137u, deletion.ExitStatus);
        Assert.NotNull(deletion.ExitedAt);
        Assert.Empty(tasks.List("ns"));
        Assert.False(Directory.Exists(Bundle));
        Assert.Equal(["start", "delete"], _shim.Actions);
        Assert.True(File.Exists(_shim.Socket), "a socket on which somebody listens was removed");
    }

    [Fact]
    public async Task Shim_Killed_LeavesNoSocket()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        _shim.StopListening();
        Assert.True(File.Exists(_shim.Socket));
        _shim.Kill();
        Next("/tasks/exit");
        Next("/tasks/delete");
        Assert.False(File.Exists(_shim.Socket));
    }

    [Fact]
    public async Task Shim_KilledAfterItToldTheEnd_DoesNotChangeIt()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        var wait = tasks.Get("ns", "id").WaitAsync(string.Empty, Ct);
        tasks.Note("ns", new TaskExit { ContainerId = "id", Id = "exec", Pid = 43, ExitStatus = 1 });
        tasks.Note("ns", new TaskExit { ContainerId = "id", Id = "id", Pid = 42, ExitStatus = 3, ExitedAt = Timestamp.FromDateTime(DateTime.UnixEpoch) });
        _shim.Kill();
        Assert.Equal(3u, (await wait.WaitAsync(s_patience, Ct)).ExitStatus);
        Assert.Equal(3u, Assert.IsType<TaskDelete>(Next("/tasks/delete")).ExitStatus);
    }

    [Fact]
    public async Task Delete_WhileTheShimDies_GivesHowItEnded()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        _shim.Answer = method => method == "Delete" ? null : FakeShim.Usual(method);
        var deletion = tasks.DeleteAsync(tasks.Get("ns", "id"), Ct);
        await _shim.CalledAsync("Delete", Ct);
        _shim.Kill();
        Assert.Equal(137u, (await deletion.WaitAsync(s_patience, Ct)).ExitStatus);
    }

    [Fact]
    public async Task Delete_ThatTheShimCannotDoYet_SaysSoAndCanBeRepeated()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        var task = tasks.Get("ns", "id");
        _shim.Answer = method => method == "Delete" ? throw new RpcException(RpcCode.Unavailable, "delete it again") : FakeShim.Usual(method);
        Assert.Equal("delete it again", (await Assert.ThrowsAsync<RpcException>(() => tasks.DeleteAsync(task, Ct).WaitAsync(s_patience, Ct))).Message);
        _shim.Answer = FakeShim.Usual;
        Assert.Equal(5u, (await tasks.DeleteAsync(task, Ct)).ExitStatus);
    }

    [Fact]
    public async Task Delete_WhoseCallerGoes_IsDoneAllTheSame()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        using var caller = new CancellationTokenSource();
        var answers = new ManualResetEventSlim();
        _shim.Answer = method =>
        {
            if (method == "Delete")
            {
                answers.Wait(s_patience, Ct);
            }

            return FakeShim.Usual(method);
        };
        var deletion = tasks.DeleteAsync(tasks.Get("ns", "id"), caller.Token);
        await _shim.CalledAsync("Delete", Ct);
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => deletion);
        answers.Set();
        for (var until = Stopwatch.StartNew(); tasks.List("ns").Count > 0; await Task.Delay(10, Ct))
        {
            Assert.True(until.Elapsed < s_patience, "the task stays");
        }

        Assert.False(Directory.Exists(Bundle));
    }

    [Fact]
    public async Task Delete_OfWhatTheShimHasNoMore_RemovesIt()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        _shim.Answer = method => method == "Delete" ? throw new RpcException(RpcCode.NotFound, "none") : FakeShim.Usual(method);
        tasks.Note("ns", new TaskExit { ContainerId = "id", Id = "id", Pid = 42, ExitStatus = 3 });
        Assert.Equal(3u, (await tasks.DeleteAsync(tasks.Get("ns", "id"), Ct)).ExitStatus);
        Assert.Empty(tasks.List("ns"));
    }

    [Fact]
    public async Task Note_OfAnEarlierProcessOfThatName_IsPassedOver()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        tasks.Note("ns", new TaskExit { ContainerId = "id", Id = "id", Pid = 41, ExitStatus = 3 });
        Assert.Null(tasks.Get("ns", "id").Told);
    }

    [Fact]
    public async Task Create_WhoseCallerHasGone_EndsTheShim()
    {
        var tasks = Manager();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => tasks.CreateAsync(Creation(), new CancellationToken(canceled: true)));
        Assert.Equal(["Shutdown"], _shim.Calls);
        Assert.False(Directory.Exists(Bundle));
        Assert.Empty(tasks.List("ns"));
    }

    [Fact]
    public async Task Create_OverWhatCannotBeRemoved_IsRefusedAndLeavesIt()
    {
        var tasks = Manager();
        Directory.CreateDirectory(Path.Combine(Bundle, "rootfs"));
        File.WriteAllText(Path.Combine(Bundle, "rootfs/somebodys"), "x");
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => tasks.CreateAsync(Creation(), Ct));
        Assert.Equal(ErrorKind.FailedPrecondition, failure.Kind);
        Assert.True(File.Exists(Path.Combine(Bundle, "rootfs/somebodys")), "what nobody knows was deleted");
        Assert.Empty(_shim.Actions);
    }

    [Fact]
    public async Task Restore_OfAShimThatDoesNotAnswer_LeavesItsTask()
    {
        var before = Manager();
        await before.CreateAsync(Creation(), Ct);
        await before.DisposeAsync();
        _shim.Answer = method => method == "State" ? null : FakeShim.Usual(method);
        var after = Manager();
        await after.RestoreAsync((_, _) => true, Ct);
        Assert.Single(after.List("ns"));
        Assert.Equal(["start"], _shim.Actions);
        Assert.Contains(_told, line => line.Contains("does not say how its task is", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Restore_WhileTheShimStillMakesTheContainer_FindsIt()
    {
        var before = Manager();
        await before.CreateAsync(Creation(), Ct);
        await before.DisposeAsync();
        var asked = 0;
        _shim.Answer = method => method == "State" && asked++ < 3 ? throw new RpcException(RpcCode.NotFound, "not yet") : FakeShim.Usual(method);
        var after = Manager();
        await after.RestoreAsync((_, _) => true, Ct);
        Assert.Single(after.List("ns"));
        Assert.Equal(["start"], _shim.Actions);
    }

    [Fact]
    public async Task Restore_BesideWhatIsNoBundle_GoesOn()
    {
        var before = Manager();
        await before.CreateAsync(Creation(), Ct);
        await before.DisposeAsync();
        Directory.CreateDirectory(_state.In("-bad/x"));
        Directory.CreateDirectory(_state.In("ns/.hidden"));
        var after = Manager();
        await after.RestoreAsync((_, _) => true, Ct);
        Assert.Single(after.List("ns"));
        Assert.True(Directory.Exists(_state.In("-bad/x")));
    }

    [Fact]
    public async Task Restore_FindsWhatWentOn()
    {
        var before = Manager();
        await before.CreateAsync(Creation(), Ct);
        await before.DisposeAsync();
        Assert.True(Directory.Exists(Bundle));

        var after = Manager();
        await after.RestoreAsync((_, _) => true, Ct);
        Assert.Equal(42u, (await after.Get("ns", "id").StateAsync(string.Empty, Ct)).Pid);
        Assert.Equal(["start"], _shim.Actions);
        _shim.Kill();
        Next("/tasks/exit");
        Next("/tasks/delete");
    }

    [Fact]
    public async Task Restore_OfAShimThatIsGone_CleansUpAfterIt()
    {
        var before = Manager();
        await before.CreateAsync(Creation(), Ct);
        await before.DisposeAsync();
        File.WriteAllBytes(Path.Combine(Bundle, "bootstrap.json"), new ShimAddress(2, _state.In("nobody")).ToJson());

        var after = Manager();
        await after.RestoreAsync((_, _) => true, Ct);
        Assert.Empty(after.List("ns"));
        Assert.Equal(137u, Assert.IsType<TaskExit>(Next("/tasks/exit")).ExitStatus);
        Assert.Equal(["start", "delete"], _shim.Actions);
        Assert.False(Directory.Exists(Bundle));
        Assert.Contains(_told, line => line.Contains("ns/id", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Restore_OfATaskWithoutAContainer_KillsIt()
    {
        var before = Manager();
        await before.CreateAsync(Creation(), Ct);
        await before.DisposeAsync();
        _shim.Answer = method => method == "Wait" ? new WaitResponse { ExitStatus = 137 } : FakeShim.Usual(method);

        var after = Manager();
        await after.RestoreAsync((_, _) => false, Ct);
        Assert.Empty(after.List("ns"));
        Assert.Equal(["Create", "State", "Kill", "Wait", "Delete", "Shutdown"], _shim.Calls);
        Assert.False(Directory.Exists(Bundle));
    }

    [Fact]
    public async Task Restore_OfWhatIsHalfMade_RemovesIt()
    {
        Directory.CreateDirectory(Bundle);
        File.WriteAllText(Path.Combine(Bundle, "bootstrap.json"), "{\"vers");
        await Manager().RestoreAsync((_, _) => true, Ct);
        Assert.False(Directory.Exists(Bundle));
    }

    [Fact]
    public async Task Dispose_LeavesTheShimsAlone()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        var wait = tasks.Get("ns", "id").WaitAsync(string.Empty, Ct);
        await tasks.DisposeAsync();
        Assert.Equal(RpcCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => wait.WaitAsync(s_patience, Ct))).Code);
        Assert.Equal(["start"], _shim.Actions);
        Assert.Empty(_events);
    }

    private TaskManager Manager()
    {
        var manager = new TaskManager(
            _state.Path, new ShimCaller("/run/sock", "/run/sock.ttrpc"), (tenant, topic, happened) => _events.Add((tenant, topic, happened), Ct), _told.Enqueue, TimeProvider.System);
        _managers.Add(manager);
        return manager;
    }

    private TaskCreation Creation() => new() { Namespace = "ns", Id = "id", Runtime = _shim.Program, Spec = "{}"u8.ToArray() };

    private IMessage Next(string topic)
    {
        Assert.True(_events.TryTake(out var found, s_patience), $"{topic} does not come: {string.Join("; ", _told)}");
        Assert.Equal(("ns", topic), (found.Namespace, found.Topic));
        return found.Event;
    }
}
