using ImageStore.Daemon.Hosting;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Daemon.Tests.Hosting;

public sealed class ListenSocketTests : IDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestored-");

    private string Address => Path.Combine(_work.FullName, "made", "sock");

    public void Dispose() => _work.Delete(recursive: true);

    [Fact]
    public void Bind_AFreeAddress_IsTheOwnersAlone()
    {
        using var socket = ListenSocket.Bind(Address, null);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Address));
    }

    [Fact]
    public void Bind_WithAGroup_IsThatGroupsToo()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, to give files to any group");
        using var socket = ListenSocket.Bind(Address, 4242);
        using var folder = OpenAt.HostDirectory(Path.GetDirectoryName(Address)!);
        var metadata = FileMetadata.TryGet(folder, "sock\0"u8)!.Value;
        Assert.Equal((0u, 4242u, 0x1B0u), (metadata.Uid, metadata.Gid, metadata.Permissions));
    }

    [Fact]
    public void Bind_ASocketThatADeadDaemonLeft_ReplacesIt()
    {
        // A socket that is closed in order takes its file with it, unless that is elsewhere meanwhile.
        using (ListenSocket.Bind(Address, null))
        {
            File.Move(Address, Address + "2");
        }

        File.Move(Address + "2", Address);
        using var socket = ListenSocket.Bind(Address, null);
        Assert.True(socket.IsBound);
    }

    [Fact]
    public void Bind_WhereSomebodyListens_IsRefused()
    {
        using var first = ListenSocket.Bind(Address, null);
        Assert.Equal(ErrorKind.FailedPrecondition, Assert.Throws<ImageStoreException>(() => ListenSocket.Bind(Address, null)).Kind);
    }

    [Fact]
    public void Bind_WhereAFileIs_LeavesIt()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Address)!);
        File.WriteAllText(Address, "precious");
        Assert.Equal(ErrorKind.FailedPrecondition, Assert.Throws<ImageStoreException>(() => ListenSocket.Bind(Address, null)).Kind);
        Assert.Equal("precious", File.ReadAllText(Address));
    }

    [Fact]
    public void Bind_TooLongAPath_IsRefused() => Assert.Equal(
        ErrorKind.InvalidArgument,
        Assert.Throws<ImageStoreException>(() => ListenSocket.Bind(Path.Combine(_work.FullName, new string('a', 200)), null)).Kind);
}
