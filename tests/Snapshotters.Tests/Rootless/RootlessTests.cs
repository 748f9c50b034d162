using ImageStore.Snapshotters.Rootless;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Rootless;

/// <summary>What is read of the machine for users without privileges.</summary>
public sealed class RootlessTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("rootless-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("me:100000:65536\n", "0:1000:1,1:100000:65536")]
    [InlineData("1000:100000:65536", "0:1000:1,1:100000:65536")]
    [InlineData("you:1:1\nme:100000:10\nme:200000:20\n", "0:1000:1,1:100000:10,11:200000:20")]
    [InlineData("me:900:200\nme:100000:10\n", "0:1000:1,1:100000:10")]
    [InlineData("me:x:1\nme:100000:0\nme:4294967295:2\n\n# me:1:1\nme:100000:10", "0:1000:1,1:100000:10")]
    [InlineData("you:100000:65536\n", null)]
    [InlineData("", null)]
    public void Read_OfRanges_GivesTheUserAndWhatFollows(string text, string? expected)
    {
        var file = Path.Combine(_root, "subuid");
        File.WriteAllText(file, text);
        Assert.Equal(expected, SubordinateIds.Read(file, "me", 1000, 1000)?.ToString());
    }

    [Fact]
    public void Read_NoFile_GivesNone() => Assert.Null(SubordinateIds.Read(Path.Combine(_root, "absent"), "me", 1000, 1000));

    [Theory]
    [InlineData("user/max_user_namespaces", "0\n")]
    [InlineData("kernel/unprivileged_userns_clone", "0\n")]
    [InlineData("kernel/apparmor_restrict_unprivileged_userns", "1\n")]
    public void Explain_OfASettingThatForbids_NamesItAndTheWayOut(string setting, string value)
    {
        Write("user/max_user_namespaces", "100\n");
        Write("kernel/unprivileged_userns_clone", "1\n");
        Write("kernel/apparmor_restrict_unprivileged_userns", "0\n");
        Assert.Equal(ErrorKind.Unsupported, UserNamespaceLimits.Explain("why", _root).Kind);
        Write(setting, value);

        var error = UserNamespaceLimits.Explain("why", _root);

        var name = setting.Replace('/', '.');
        Assert.Equal(ErrorKind.PermissionDenied, error.Kind);
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.Contains("why", error.Message, StringComparison.Ordinal);
        Assert.Contains($"sysctl -w {name}=", error.Remedy, StringComparison.Ordinal);
    }

    private void Write(string setting, string value)
    {
        var path = Path.Combine(_root, setting);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, value);
    }
}
