using ImageStore.TestKit;

namespace ImageStore.Cli.Tests.Support;

/// <summary>The real program with a root and a registry of its own.</summary>
internal sealed class Workbench : IAsyncDisposable
{
    // As /tmp is.
    private const UnixFileMode Everybody = UnixFileMode.StickyBit | (UnixFileMode)0x1FF;

    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-cli-");

    /// <summary>The built program: <c>./test</c> names it, else it is what this project was built with.</summary>
    public static string Binary =>
        Environment.GetEnvironmentVariable("IMAGESTORE_BIN") is { Length: > 0 } path && File.Exists(path)
            ? path
            : Path.Combine(AppContext.BaseDirectory, "imagestore");

    public FakeRegistry Registry { get; } = new();

    public string Root => In("root");

    public string In(string name) => Path.Combine(_work.FullName, name);

    public Task<Shell.Result> RunAsync(params string[] arguments) =>
        Shell.RunAsync(Binary, ["--root", Root, .. arguments]);

    public async Task<string> OkAsync(params string[] arguments)
    {
        var result = await RunAsync(arguments);
        Assert.True(
            result.ExitCode == 0, $"imagestore {string.Join(' ', arguments)} ended with {result.ExitCode}: {result.Error}");
        return result.Output;
    }

    /// <summary>Runs a command of bash with <c>$BIN</c> and <c>$ROOT</c> set.</summary>
    public Task<Shell.Result> BashAsync(string script) => Shell.RunAsync("bash", ["-c", script], Variables());

    public Dictionary<string, string?> Variables() => new() { ["BIN"] = Binary, ["ROOT"] = Root, ["TERM"] = "xterm" };

    /// <summary>Stores the image; what unpacking does is other tests' matter.</summary>
    public async Task<TestImage> StoredAsync(string repository = "app", int layerBytes = 100)
    {
        var image = TestImage.Add(Registry, repository, layerBytes);
        await OkAsync("--quiet", "pull", "--no-unpack", image.Reference);
        return image;
    }

    /// <summary>Lets a user without privileges reach the program and a directory to write in; skips when that is not possible.</summary>
    public (string Program, string Directory) ForNobody()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Assert.Skip("needs root, to become somebody else");
        }

        Shell.Need("setpriv");
        _work.UnixFileMode |= UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        var home = Directory.CreateDirectory(In("nobody"));
        home.UnixFileMode = Everybody;
        var program = In("program");
        Copy(Path.GetDirectoryName(Real(Binary))!, program);

        return (Path.Combine(program, "imagestore"), home.FullName);
    }

    public async ValueTask DisposeAsync()
    {
        await Registry.DisposeAsync();
        _work.Delete(recursive: true);
    }

    private static string Real(string path) => new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to, Everybody);
        foreach (var file in Directory.EnumerateFiles(from).Where(file => Path.GetExtension(file) is not (".dbg" or ".pdb" or ".xml")))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }
}
