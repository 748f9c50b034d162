using ImageStore.Runtime.Protocol.Happened;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Shims;
using ImageStore.Runtime.Ttrpc;

namespace ImageStore.Runtime.Tests.Tasks;

public sealed class TaskFinderTests : TaskTest
{
    [Fact]
    public async Task Restore_OfAShimThatDoesNotAnswer_LeavesItsTask()
    {
        var before = Manager();
        await before.CreateAsync(Creation(), Ct);
        await before.DisposeAsync();
        Shim.Answer = method => method == "State" ? null : FakeShim.Usual(method);
        var after = Manager();
        await after.RestoreAsync((_, _) => true, Ct);
        Assert.Single(after.List("ns"));
        Assert.Equal(["start"], Shim.Actions);
        Assert.Contains(Told, line => line.Contains("does not say how its task is", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Restore_WhileTheShimStillMakesTheContainer_FindsIt()
    {
        var before = Manager();
        await before.CreateAsync(Creation(), Ct);
        await before.DisposeAsync();
        var asked = 0;
        Shim.Answer = method => method == "State" && asked++ < 3 ? throw new RpcException(RpcCode.NotFound, "not yet") : FakeShim.Usual(method);
        var after = Manager();
        await after.RestoreAsync((_, _) => true, Ct);
        Assert.Single(after.List("ns"));
        Assert.Equal(["start"], Shim.Actions);
    }

    [Fact]
    public async Task Restore_BesideWhatIsNoBundle_GoesOn()
    {
        var before = Manager();
        await before.CreateAsync(Creation(), Ct);
        await before.DisposeAsync();
        Directory.CreateDirectory(State.In("-bad/x"));
        Directory.CreateDirectory(State.In("ns/.hidden"));
        var after = Manager();
        await after.RestoreAsync((_, _) => true, Ct);
        Assert.Single(after.List("ns"));
        Assert.True(Directory.Exists(State.In("-bad/x")));
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
        Assert.Equal(["start"], Shim.Actions);
        Shim.Kill();
        Next("/tasks/exit");
        Next("/tasks/delete");
    }

    [Fact]
    public async Task Restore_OfAShimThatIsGone_CleansUpAfterIt()
    {
        var before = Manager();
        await before.CreateAsync(Creation(), Ct);
        await before.DisposeAsync();
        File.WriteAllBytes(Path.Combine(Bundle, "bootstrap.json"), new ShimAddress(2, State.In("nobody")).ToJson());

        var after = Manager();
        await after.RestoreAsync((_, _) => true, Ct);
        Assert.Empty(after.List("ns"));
        Assert.Equal(137u, Assert.IsType<TaskExit>(Next("/tasks/exit")).ExitStatus);
        Assert.Equal(["start", "delete"], Shim.Actions);
        Assert.False(Directory.Exists(Bundle));
        Assert.Contains(Told, line => line.Contains("ns/id", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Restore_OfATaskWithoutAContainer_KillsIt()
    {
        var before = Manager();
        await before.CreateAsync(Creation(), Ct);
        await before.DisposeAsync();
        Shim.Answer = method => method == "Wait" ? new WaitResponse { ExitStatus = 137 } : FakeShim.Usual(method);

        var after = Manager();
        await after.RestoreAsync((_, _) => false, Ct);
        Assert.Empty(after.List("ns"));
        Assert.Equal(["Create", "State", "Kill", "Wait", "Delete", "Shutdown"], Shim.Calls);
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
}
