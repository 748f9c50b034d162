using System.Diagnostics;
using ImageStore.Runtime.Tests.Support;
using ImageStore.Runtime.Users;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Tests.Users;

/// <summary>Users of an image, by whatever it has in the place of their files.</summary>
public sealed class UserFinderTests : IDisposable
{
    private const string Passwd =
        """
        # a comment
        root:x:0:0:root:/root:/bin/sh
        app:x:1000:100:An app:/home/app:/bin/sh
        twin:x:1000:7::/:
        über:x:1001:1001::/:
        short:x
        words:x:one:two::/:
        far:x:4294967296:0::/:
        last:x:5:6
        """;

    private const string Group =
        """
        root:x:0:
        wheel:x:10:root,app
        app:x:1000:app
        users:x:100:app
        audio:x:29:nobody
        far:x:4294967296:app
        broken:x
        empty:x::app
        """;

    private readonly Folder _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("", 0, 0, "0 10")]
    [InlineData("0", 0, 0, "0 10")]
    [InlineData("root", 0, 0, "0 10")]
    [InlineData("app", 1000, 100, "100 10 1000")]
    [InlineData("1000", 1000, 100, "100 10 1000")]
    [InlineData("app:audio", 1000, 29, "29 10 1000 100")]
    [InlineData("1000:29", 1000, 29, "29 10 1000 100")]
    [InlineData("app:77", 1000, 77, "77 10 1000 100")]
    [InlineData("77:wheel", 77, 10, "10")]
    [InlineData("77", 77, 0, "0")]
    [InlineData("77:88", 77, 88, "88")]
    [InlineData(":wheel", 0, 10, "10")]
    [InlineData("app:", 1000, 100, "100 10 1000")]
    [InlineData("über", 1001, 1001, "1001")]
    [InlineData("last", 5, 6, "6")]
    [InlineData("2147483647:2147483647", 2147483647, 2147483647, "2147483647")]
    public void Find_OfEveryForm_IsWhatTheFilesSay(string user, uint uid, uint gid, string groups)
    {
        Usual();
        var found = UserFinder.Find(_root.Path, UserText.Parse(user));
        Assert.Equal((uid, gid, groups), (found.Uid, found.Gid, string.Join(' ', found.AdditionalGids!)));
    }

    [Theory]
    [InlineData("nosuch", ErrorKind.NotFound, "etc/passwd")]
    [InlineData("app:nosuch", ErrorKind.NotFound, "etc/group")]
    [InlineData("# a comment", ErrorKind.NotFound, "etc/passwd")]
    [InlineData("short", ErrorKind.CorruptData, "line 6")]
    [InlineData("words", ErrorKind.CorruptData, "line 7")]
    [InlineData("far", ErrorKind.CorruptData, "line 8")]
    [InlineData("app:far", ErrorKind.CorruptData, "line 6")]
    [InlineData("app:broken", ErrorKind.CorruptData, "line 7")]
    public void Find_OfWhatIsNotThereOrMalformed_NamesUserAndFile(string user, ErrorKind kind, string file)
    {
        Usual();
        Say.Fault(kind, () => UserFinder.Find(_root.Path, UserText.Parse(user)), $"'{user}'", file);
    }

    [Fact]
    public void Find_WithoutFiles_TakesNumbersAndRefusesNames()
    {
        Assert.Equal(0U, UserFinder.Find(_root.Path, UserText.Parse("")).Uid);
        Assert.Equal((5U, 0U), UserFinder.Find(_root.Path, UserText.Parse("5")) is var found ? (found.Uid, found.Gid) : default);
        Say.Fault(ErrorKind.NotFound, () => UserFinder.Find(_root.Path, UserText.Parse("root")), "'root'", "/etc/passwd");
    }

    [Theory]
    [InlineData("etc/passwd", "/secret")]
    [InlineData("etc/passwd", "../../../../../../../../secret")]
    [InlineData("etc", "/elsewhere")]
    public void Find_ThroughLinks_StaysInTheRoot(string link, string target)
    {
        // What the links would reach outside of the root is there too, and says otherwise.
        _root.Write("secret", "app:x:1:1\n");
        var image = Directory.CreateDirectory(_root.In("image")).FullName;
        Directory.CreateDirectory(Path.Combine(image, "elsewhere"));
        File.WriteAllText(Path.Combine(image, "secret"), "app:x:2:2\n");
        File.WriteAllText(Path.Combine(image, "elsewhere/passwd"), "app:x:2:2\n");
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(image, link))!);
        File.CreateSymbolicLink(Path.Combine(image, link), target);
        Assert.Equal(2U, UserFinder.Find(image, UserText.Parse("app")).Uid);
    }

    [Fact]
    public void Find_ThroughALinkToTheHostsOwnFile_DoesNotReadThat()
    {
        Assert.SkipUnless(File.ReadLines("/etc/passwd").Any(line => line.StartsWith("daemon:", StringComparison.Ordinal)), "this machine has no daemon");
        Directory.CreateDirectory(_root.In("etc"));
        File.CreateSymbolicLink(_root.In("etc/passwd"), "/etc/../../../../etc/passwd");
        Assert.Throws<ImageStoreException>(() => UserFinder.Find(_root.Path, UserText.Parse("daemon")));

        File.Delete(_root.In("etc/passwd"));
        File.CreateSymbolicLink(_root.In("etc/passwd"), "/proc/1/root/etc/passwd");
        Say.Fault(ErrorKind.NotFound, () => UserFinder.Find(_root.Path, UserText.Parse("daemon")), "'daemon'");
    }

    [Theory]
    [InlineData("fifo")]
    [InlineData("directory")]
    [InlineData("device")]
    public void Find_InWhatIsNoFile_IsRefusedAtOnceAndNumbersStillDo(string kind)
    {
        Directory.CreateDirectory(_root.In("etc"));
        var (program, arguments) = kind switch
        {
            "fifo" => ("mkfifo", new[] { _root.In("etc/passwd") }),
            "directory" => ("mkdir", [_root.In("etc/passwd")]),
            _ => ("mknod", [_root.In("etc/passwd"), "c", "1", "5"]),
        };
        Assert.SkipWhen(kind == "device" && !Environment.IsPrivilegedProcess, "needs root");
        using (var process = Process.Start(program, arguments))
        {
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
        }

        Say.Fault(ErrorKind.FailedPrecondition, () => UserFinder.Find(_root.Path, UserText.Parse("app")), "/etc/passwd", "regular file");
        Assert.Equal(6U, UserFinder.Find(_root.Path, UserText.Parse("5:6")).Gid);
    }

    [Fact]
    public void Find_InAFileOrLineWithoutEnd_IsOverALimit()
    {
        _root.Write("etc/passwd", string.Concat(Enumerable.Repeat("someone:x:1:1::/:\n", AccountFile.MaxBytes / 18 + 1)) + "app:x:2:2\n");
        Say.Fault(ErrorKind.LimitExceeded, () => UserFinder.Find(_root.Path, UserText.Parse("app")), "/etc/passwd", "larger");

        _root.Write("etc/passwd", "someone:x:1:1:" + new string('x', AccountFile.MaxLineBytes) + "\napp:x:2:2\n");
        Say.Fault(ErrorKind.LimitExceeded, () => UserFinder.Find(_root.Path, UserText.Parse("app")), "/etc/passwd", "line");

        // A sparse file of any size costs no more.
        using (var file = new FileStream(_root.In("etc/passwd"), FileMode.Create))
        {
            file.SetLength(1L << 40);
        }

        Say.Fault(ErrorKind.LimitExceeded, () => UserFinder.Find(_root.Path, UserText.Parse("app")), "/etc/passwd");
    }

    [Fact]
    public void Find_OfAUserInMoreGroupsThanTheKernelTakes_IsOverALimit()
    {
        _root.Write("etc/passwd", "app:x:2:2\n");
        _root.Write("etc/group", string.Concat(Enumerable.Range(0, 70_000).Select(gid => $"g{gid}:x:{gid}:app\n")));
        Say.Fault(ErrorKind.LimitExceeded, () => UserFinder.Find(_root.Path, UserText.Parse("app")), "/etc/group", "'app'");
    }

    private void Usual()
    {
        _root.Write("etc/passwd", Passwd);
        _root.Write("etc/group", Group);
    }
}
