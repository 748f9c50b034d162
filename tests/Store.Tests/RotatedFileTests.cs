using System.Text;
using ImageStore.Store.Errors;

namespace ImageStore.Store.Tests;

public sealed class RotatedFileTests : IDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("rotated-");

    private string Name => Path.Combine(_work.FullName, "log");

    public void Dispose() => _work.Delete(recursive: true);

    [Fact]
    public void Append_BeyondTheSize_KeepsSoManyAndNoMore()
    {
        using var file = RotatedFile.Open(Name, 10, 2);
        foreach (var line in (string[])["one", "two", "three", "four", "five", "sixsix", "seven"])
        {
            file.Append(Line(line));
        }

        Assert.Equal("seven\n", File.ReadAllText(Name));
        Assert.Equal("sixsix\n", File.ReadAllText(Name + ".1"));
        Assert.Equal("four\nfive\n", File.ReadAllText(Name + ".2"));
        Assert.Equal(3, _work.GetFiles().Length);
        Assert.All(_work.GetFiles(), one => Assert.Equal(WholeFile.Private, one.UnixFileMode));
    }

    [Fact]
    public void Append_BeyondTheSizeWhereNoneIsKept_BeginsAnew()
    {
        using var file = RotatedFile.Open(Name, 10, 0);
        file.Append(Line("one"));
        file.Append(Line("a line that is longer than the size"));
        Assert.Equal("a line that is longer than the size\n", File.ReadAllText(Name));
        Assert.Single(_work.GetFiles());
    }

    [Fact]
    public void Append_ToWhatIsThere_GoesOnAndTakesItFromOthers()
    {
        File.WriteAllText(Name, "before\n");
        File.SetUnixFileMode(Name, WholeFile.Public);
        using var file = RotatedFile.Open(Name, 100, 1);
        file.Append(Line("after"));
        Assert.Equal("before\nafter\n", File.ReadAllText(Name));
        Assert.Equal(WholeFile.Private, File.GetUnixFileMode(Name));
    }

    [Fact]
    public void Append_AfterALineThatAKillCutShort_IsALineOfItsOwn()
    {
        File.WriteAllText(Name, "whole\nha");
        using var file = RotatedFile.Open(Name, 100, 1);
        file.Append(Line("next"));
        Assert.Equal("whole\nha\nnext\n", File.ReadAllText(Name));
    }

    [Fact]
    public void Append_ToAFileThatSomebodyMovedOrCut_GoesOn()
    {
        using var file = RotatedFile.Open(Name, 100, 1);
        file.Append(Line("one"));
        File.Move(Name, Name + ".elsewhere");
        file.Append(Line("two"));
        Assert.Equal("two\n", File.ReadAllText(Name));
        Assert.Equal("one\n", File.ReadAllText(Name + ".elsewhere"));
        using (var cut = File.OpenWrite(Name))
        {
            cut.SetLength(0);
        }

        file.Append(Line("three"));
        Assert.Equal("three\n", File.ReadAllText(Name));
    }

    [Fact]
    public void Append_WhereTheNextFileCannotBeMade_FailsAndGoesOnLater()
    {
        using var file = RotatedFile.Open(Name, 10, 1);
        file.Append(Line("one"));

        // A folder takes no file's place.
        var inTheWay = Directory.CreateDirectory(Name + ".1");
        for (var i = 0; i < 2; i++)
        {
            Assert.Throws<ImageStoreException>(() => file.Append(Line("two two")));
            Assert.Equal("one\n", File.ReadAllText(Name));
        }

        inTheWay.Delete();
        file.Append(Line("three three"));
        Assert.Equal("three three\n", File.ReadAllText(Name));
        Assert.Equal("one\n", File.ReadAllText(Name + ".1"));
    }

    [Fact]
    public void Open_ALinkOrAFolder_IsRefused()
    {
        File.WriteAllText(Path.Combine(_work.FullName, "target"), "precious");
        File.CreateSymbolicLink(Name, Path.Combine(_work.FullName, "target"));
        Assert.Equal(ErrorKind.FailedPrecondition, Assert.Throws<ImageStoreException>(() => RotatedFile.Open(Name, 10, 1)).Kind);
        Assert.Equal(ErrorKind.FailedPrecondition, Assert.Throws<ImageStoreException>(() => RotatedFile.Open(_work.FullName, 10, 1)).Kind);
    }

    [Fact]
    public void Open_InAFolderThatIsMissing_MakesThatOneAlone()
    {
        RotatedFile.Open(Path.Combine(_work.FullName, "made", "log"), 10, 1).Dispose();
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(_work.FullName, "made")));
        Assert.Throws<ImageStoreException>(() => RotatedFile.Open(Path.Combine(_work.FullName, "a", "b", "log"), 10, 1));
    }

    private static byte[] Line(string text) => Encoding.UTF8.GetBytes(text + "\n");
}
