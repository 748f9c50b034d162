using ImageStore.Daemon.Hosting;
using ImageStore.Daemon.Tests.Support;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Tests.Hosting;

public sealed class StateFolderTests : IDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("state-");

    private string State => Path.Combine(_work.FullName, "state");

    public void Dispose() => _work.Delete(recursive: true);

    [Fact]
    public void Take_IsOfOneDaemonAtATime()
    {
        using (StateFolder.Take(State, "/a"))
        {
            Refused(ErrorKind.FailedPrecondition, "Another daemon has the state directory", "/a");
        }

        StateFolder.Take(State, "/a").Dispose();
    }

    [Fact]
    public void Take_WithContainersOfAnotherRoot_IsRefused()
    {
        using (var state = StateFolder.Take(State, "/a"))
        {
            Directory.CreateDirectory(Path.Combine(state.Bundles, "ns"));
        }

        StateFolder.Take(State, "/b").Dispose();
        Directory.CreateDirectory(Path.Combine(State, "io.containerd.runtime.v2.task/ns/id"));
        Refused(ErrorKind.FailedPrecondition, "containers of the root /b", "/a");
        StateFolder.Take(State, "/b").Dispose();
    }

    [Fact]
    public void Take_ThroughALink_IsWhereItLeads()
    {
        Directory.CreateDirectory(State);
        File.CreateSymbolicLink(State + ".link", State);
        using var state = StateFolder.Take(State + ".link", "/a");
        Assert.Equal(Path.Combine(State, "io.containerd.runtime.v2.task"), state.Bundles);
    }

    [Fact]
    public void Take_WhatOthersMayWriteInto_IsRefused()
    {
        Directory.CreateDirectory(State);
        File.SetUnixFileMode(State, (UnixFileMode)0b111_111_101);
        Refused(ErrorKind.PermissionDenied, "others may write into it", "/a");
    }

    [Fact]
    public void Take_WhatIsSomebodyElses_IsRefused()
    {
        Somebody.NeedRoot();
        File.SetUnixFileMode(_work.FullName, (UnixFileMode)0b111_111_111);
        Somebody.Do(1001, [], () => Directory.CreateDirectory(State, (UnixFileMode)0b111_101_101));
        Refused(ErrorKind.PermissionDenied, "somebody else's", "/a");
    }

    private void Refused(ErrorKind kind, string word, string root)
    {
        var failure = Assert.Throws<ImageStoreException>(() => StateFolder.Take(State, root));
        Assert.Equal(kind, failure.Kind);
        Assert.Contains(word, failure.Message, StringComparison.Ordinal);
        Assert.Contains("--state", failure.Remedy, StringComparison.Ordinal);
    }
}
