using System.Diagnostics;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Happened;
using ImageStore.Runtime.Tasks;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Tests.Tasks;

public sealed class TaskManagerTests : TaskTest
{
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
        Assert.Empty(Shim.Actions);
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
        Shim.Answer = method => method == "Create" ? throw new RpcException(RpcCode.InvalidArgument, "no such root") : FakeShim.Usual(method);
        var failure = await Assert.ThrowsAsync<RpcException>(() => tasks.CreateAsync(Creation(), Ct));
        Assert.Equal("no such root", failure.Message);
        Assert.Equal(["Create", "Shutdown"], Shim.Calls);
        Assert.Equal(["start", "delete"], Shim.Actions);
        Assert.False(Directory.Exists(Bundle));
        Assert.Empty(tasks.List("ns"));
        Shim.Answer = FakeShim.Usual;
        await tasks.CreateAsync(Creation(), Ct);
    }

    [Fact]
    public async Task Delete_HasTheShimEndAndGivesHowItEnded()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        var task = tasks.Get("ns", "id");
        Assert.Equal(5u, (await tasks.DeleteAsync(task, Ct)).ExitStatus);
        Assert.Equal(["Create", "Delete", "Shutdown"], Shim.Calls);
        Assert.False(Directory.Exists(Bundle));
        Assert.Equal(ErrorKind.NotFound, (await Assert.ThrowsAsync<ImageStoreException>(() => tasks.DeleteAsync(task, Ct))).Kind);
        Assert.False(HasEvents);
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
        await Shim.CalledAsync("Wait", Ct);
        Shim.Kill();
        Assert.Equal(137u, (await second.WaitAsync(Patience, Ct)).ExitStatus);
        Assert.Single(Shim.Calls, "Wait");
    }

    [Fact]
    public async Task Shim_Killed_IsCleanedUpAfterAndToldOf()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        var exec = tasks.Get("ns", "id").WaitAsync("exec", Ct);
        Shim.Kill();
        Assert.Equal(LostTask.UnknownStatus, (await exec.WaitAsync(Patience, Ct)).ExitStatus);
        var exit = Assert.IsType<TaskExit>(Next("/tasks/exit"));
        Assert.Equal(("id", "id", 42u, 137u), (exit.ContainerId, exit.Id, exit.Pid, exit.ExitStatus));
        var deletion = Assert.IsType<TaskDelete>(Next("/tasks/delete"));
        Assert.Equal(137u, deletion.ExitStatus);
        Assert.NotNull(deletion.ExitedAt);
        Assert.Empty(tasks.List("ns"));
        Assert.False(Directory.Exists(Bundle));
        Assert.Equal(["start", "delete"], Shim.Actions);
        Assert.True(File.Exists(Shim.Socket), "a socket on which somebody listens was removed");
    }

    [Fact]
    public async Task Shim_Killed_LeavesNoSocket()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        Shim.StopListening();
        Assert.True(File.Exists(Shim.Socket));
        Shim.Kill();
        Next("/tasks/exit");
        Next("/tasks/delete");
        Assert.False(File.Exists(Shim.Socket));
    }

    [Fact]
    public async Task Shim_KilledAfterItToldTheEnd_DoesNotChangeIt()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        var wait = tasks.Get("ns", "id").WaitAsync(string.Empty, Ct);
        tasks.Note("ns", new TaskExit { ContainerId = "id", Id = "exec", Pid = 43, ExitStatus = 1 });
        tasks.Note("ns", new TaskExit { ContainerId = "id", Id = "id", Pid = 42, ExitStatus = 3, ExitedAt = Timestamp.FromDateTime(DateTime.UnixEpoch) });
        Shim.Kill();
        Assert.Equal(3u, (await wait.WaitAsync(Patience, Ct)).ExitStatus);
        Assert.Equal(3u, Assert.IsType<TaskDelete>(Next("/tasks/delete")).ExitStatus);
    }

    [Fact]
    public async Task Delete_WhileTheShimDies_GivesHowItEnded()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        Shim.Answer = method => method == "Delete" ? null : FakeShim.Usual(method);
        var deletion = tasks.DeleteAsync(tasks.Get("ns", "id"), Ct);
        await Shim.CalledAsync("Delete", Ct);
        Shim.Kill();
        Assert.Equal(137u, (await deletion.WaitAsync(Patience, Ct)).ExitStatus);
    }

    [Fact]
    public async Task Delete_ThatTheShimCannotDoYet_SaysSoAndCanBeRepeated()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        var task = tasks.Get("ns", "id");
        Shim.Answer = method => method == "Delete" ? throw new RpcException(RpcCode.Unavailable, "delete it again") : FakeShim.Usual(method);
        Assert.Equal("delete it again", (await Assert.ThrowsAsync<RpcException>(() => tasks.DeleteAsync(task, Ct).WaitAsync(Patience, Ct))).Message);
        Shim.Answer = FakeShim.Usual;
        Assert.Equal(5u, (await tasks.DeleteAsync(task, Ct)).ExitStatus);
    }

    [Fact]
    public async Task Delete_WhoseCallerGoes_IsDoneAllTheSame()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        using var caller = new CancellationTokenSource();
        var answers = new ManualResetEventSlim();
        Shim.Answer = method =>
        {
            if (method == "Delete")
            {
                answers.Wait(Patience, Ct);
            }

            return FakeShim.Usual(method);
        };
        var deletion = tasks.DeleteAsync(tasks.Get("ns", "id"), caller.Token);
        await Shim.CalledAsync("Delete", Ct);
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => deletion);
        answers.Set();
        for (var until = Stopwatch.StartNew(); tasks.List("ns").Count > 0; await Task.Delay(10, Ct))
        {
            Assert.True(until.Elapsed < Patience, "the task stays");
        }

        Assert.False(Directory.Exists(Bundle));
    }

    [Fact]
    public async Task Delete_OfWhatTheShimHasNoMore_RemovesIt()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        Shim.Answer = method => method == "Delete" ? throw new RpcException(RpcCode.NotFound, "none") : FakeShim.Usual(method);
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
        Assert.Equal(["Shutdown"], Shim.Calls);
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
        Assert.Empty(Shim.Actions);
    }

    [Fact]
    public async Task Dispose_LeavesTheShimsAlone()
    {
        var tasks = Manager();
        await tasks.CreateAsync(Creation(), Ct);
        var wait = tasks.Get("ns", "id").WaitAsync(string.Empty, Ct);
        await tasks.DisposeAsync();
        Assert.Equal(RpcCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => wait.WaitAsync(Patience, Ct))).Code);
        Assert.Equal(["start"], Shim.Actions);
        Assert.False(HasEvents);
    }
}
