using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Shims;
using ImageStore.Runtime.Tests.Support;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Tests.Shims;

public sealed class ShimInvocationTests : IDisposable
{
    private readonly Folder _folder = new();
    private readonly ShimInvocation _shims = new(new ShimCaller("/run/sock", "/run/sock.ttrpc"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Start_TellsTheShimWhatContainerdDoes()
    {
        var program = Program("""
            echo "$PWD|$@|$TTRPC_ADDRESS|$GRPC_ADDRESS|$NAMESPACE|$MAX_SHIM_VERSION|${NOTIFY_SOCKET-unset}" > said
            cat > input
            echo unix:///run/s
            """);
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", "/run/notify");
        try
        {
            var options = Any.Pack(new Protocol.Runc.Options { BinaryName = "crun" });
            Assert.Equal(new ShimAddress(2, "/run/s"), await _shims.StartAsync(program, _folder.Path, "ns", "id", options, CancellationToken.None));
            Assert.Equal(options, Any.Parser.ParseFrom(File.ReadAllBytes(_folder.In("input"))));
        }
        finally
        {
            Environment.SetEnvironmentVariable("NOTIFY_SOCKET", null);
        }

        Assert.Equal(
            $"{_folder.Path}|-namespace ns -address /run/sock -publish-binary {Environment.ProcessPath} -id id start|/run/sock.ttrpc|/run/sock|ns|2|unset\n",
            File.ReadAllText(_folder.In("said")));
    }

    [Fact]
    public async Task Start_ThatFails_SaysWhatTheShimSaid()
    {
        var program = Program("echo no such thing >&2; exit 3");
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => _shims.StartAsync(program, _folder.Path, "ns", "id", null, CancellationToken.None));
        Assert.Equal("shim start failed: no such thing", failure.Message);
    }

    [Fact]
    public async Task Start_OfWhatCannotBeRun_SaysWhy()
    {
        var failure = await Assert.ThrowsAsync<ImageStoreException>(
            () => _shims.StartAsync(_folder.In("none"), _folder.Path, "ns", "id", null, CancellationToken.None));
        Assert.Contains($"Running {_folder.In("none")} failed: No such file or directory", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_ThatWritesWithoutEnd_IsReadToItsEndAndNotKept()
    {
        var program = Program("echo unix:///run/s; head -c 5000000 /dev/zero");
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => _shims.StartAsync(program, _folder.Path, "ns", "id", null, CancellationToken.None));
        Assert.True(failure.Message.Length < 4096);
    }

    [Fact]
    public async Task Delete_GivesHowItEnded()
    {
        File.WriteAllBytes(_folder.In("answer"), new DeleteResponse { Pid = 7, ExitStatus = 137 }.ToByteArray());
        var program = Program("""echo "$@" > said; cat answer""");
        Assert.Equal(137u, (await _shims.DeleteAsync(program, _folder.Path, "ns", "id")).ExitStatus);
        Assert.EndsWith($"-id id -bundle {_folder.Path} delete\n", File.ReadAllText(_folder.In("said")), StringComparison.Ordinal);
    }

    private string Program(string script)
    {
        var path = _folder.Write("shim", "#!/bin/sh\n" + script + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }
}
