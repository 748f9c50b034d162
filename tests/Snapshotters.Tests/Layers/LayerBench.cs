using System.Diagnostics;
using ImageStore.Snapshotters.Erofs;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>A way to put layers somewhere, so that one suite holds all of them to the same tree.</summary>
public abstract class LayerBench : IDisposable
{
    /// <summary>Applies a layer; <paramref name="directory"/> then has what it holds.</summary>
    public abstract AppliedLayer Apply(Stream layer, LayerCompression compression, string directory, LayerLimits limits);

    /// <summary>Settles what was applied to <paramref name="directory"/> against the layers in others, topmost first.</summary>
    public abstract void Settle(AppliedLayer layer, string directory, IReadOnlyList<string> lowers);

    public virtual void Dispose() => GC.SuppressFinalize(this);
}

/// <summary>Straight into the directory.</summary>
public sealed class DirectoryBench : LayerBench
{
    private static readonly LayerFormat s_format = new("trusted.overlay.opaque");

    public override AppliedLayer Apply(Stream layer, LayerCompression compression, string directory, LayerLimits limits) =>
        LayerApplier.Apply(layer, compression, directory, s_format, limits, null, CancellationToken.None);

    public override void Settle(AppliedLayer layer, string directory, IReadOnlyList<string> lowers) =>
        LayerSettler.Settle(layer, directory, lowers, s_format, CancellationToken.None);
}

/// <summary>Into an EROFS image, whose files as the kernel shows them are copied to the directory.</summary>
public sealed class ImageBench : LayerBench
{
    private readonly string _work = Directory.CreateTempSubdirectory("images-").FullName;
    private readonly Dictionary<string, string> _images = new(StringComparer.Ordinal);
    private int _count;

    public override AppliedLayer Apply(Stream layer, LayerCompression compression, string directory, LayerLimits limits)
    {
        var image = Path.Combine(_work, $"{_count++}.erofs");
        var applied = ImageApplier.Apply(layer, compression, image, limits, null, CancellationToken.None);
        _images[directory] = image;
        Show(directory);
        return applied;
    }

    public override void Settle(AppliedLayer layer, string directory, IReadOnlyList<string> lowers)
    {
        ImageSettler.Settle(layer, _images[directory], [.. lowers.Select(lower => _images[lower])], new LayerLimits(), CancellationToken.None);
        Show(directory);
    }

    public override void Dispose()
    {
        TreeRemover.RemoveTree(_work);
        base.Dispose();
    }

    /// <summary>Holds an image to what erofs-utils say, where they are installed.</summary>
    public static void Check(string image)
    {
        if (File.Exists("/usr/bin/fsck.erofs"))
        {
            var (code, output) = Run("fsck.erofs", image);
            Assert.True(code == 0, output);
        }
    }

    private void Show(string directory)
    {
        Check(_images[directory]);
        var mounted = Directory.CreateDirectory(Path.Combine(_work, "mounted")).FullName;
        Assert.SkipUnless(Run("mount", "-t", "erofs", "-o", "ro,loop", _images[directory], mounted) is (0, _), "needs EROFS");
        try
        {
            foreach (var path in Directory.GetFileSystemEntries(directory))
            {
                TreeRemover.RemoveTree(path);
            }

            var (code, output) = Run("cp", "-a", "--sparse=always", "-T", mounted, directory);
            Assert.True(code == 0, output);
        }
        finally
        {
            _ = MountSyscalls.Unmount(mounted, MountSyscalls.DetachFlag);
        }
    }

    private static (int Code, string Output) Run(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }
}
