namespace ImageStore.Integration.Tests.Support;

/// <summary>The project's shared fixtures, which lie beside the repository or where IMAGESTORE_FIXTURES says.</summary>
internal static class Fixtures
{
    /// <summary>The script that makes an image out of folders of this machine; skips the test without it.</summary>
    public static string MakeImage()
    {
        var named = Environment.GetEnvironmentVariable("IMAGESTORE_FIXTURES");
        var script = Path.GetFullPath(Path.Combine(named ?? Path.Combine(Repository(), "../shared/fixtures"), "make-image.py"));
        if (!File.Exists(script))
        {
            Assert.Skip($"there is no {script}: set IMAGESTORE_FIXTURES to the folder that has make-image.py");
        }

        return script;
    }

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder.Parent is not null && !File.Exists(Path.Combine(folder.FullName, "ImageStore.sln")))
        {
            folder = folder.Parent;
        }

        return folder.FullName;
    }
}
