using System.Diagnostics;
using ImageStore.Snapshotters.Erofs;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Layers.Diff;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Trees;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Layers.Diff;

/// <summary>Makes trees and mounts of them, and applies layers onto them.</summary>
internal sealed class DiffBench : IDisposable
{
    private static readonly LayerFormat s_format = new("trusted.overlay.opaque");

    private readonly string _work = Directory.CreateTempSubdirectory("diff-").FullName;
    private readonly List<string> _mounted = [];
    private int _made;

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static DiffOptions Plain { get; } = new() { Compression = CompressionChoice.None };

    public string Make(string name = "dir") => Directory.CreateDirectory(Path.Combine(_work, $"{name}-{_made++}")).FullName;

    /// <summary>Mounts an overlay; without an upper directory it is read-only.</summary>
    public string Overlay(IReadOnlyList<string> lowers, string? upper = null, params string[] options)
    {
        var target = Make("mounted");
        Mounter.MountAll([OverlayMount(lowers, upper, options)], target);
        _mounted.Add(target);
        return target;
    }

    public Mount OverlayMount(IReadOnlyList<string> lowers, string? upper = null, params string[] options) => new(
        "overlay",
        "overlay",
        ["index=off", .. options, .. upper is null ? Array.Empty<string>() : ["volatile", "workdir=" + Make("work"), "upperdir=" + upper], "lowerdir=" + string.Join(':', lowers)]);

    public static Mount Bind(string directory) => new("bind", directory, ["rbind", "ro"]);

    public static byte[] Diff(IReadOnlyList<Mount> lower, IReadOnlyList<Mount> upper, DiffOptions? options = null)
    {
        using var output = new MemoryStream();
        LayerDiffer.Write(lower, upper, output, options ?? Plain, Ct);
        return output.ToArray();
    }

    public static IReadOnlyList<string> List(IReadOnlyList<Mount> lower, IReadOnlyList<Mount> upper) =>
        [.. LayerDiffer.List(lower, upper, new LayerLimits(), Ct).Select(change => $"{(change.Kind == ChangeKind.Modified ? 'C' : change.Kind.ToString()[0])} {change.Path}")];

    /// <summary>Applies a layer for an overlay on <paramref name="lowers"/>; returns its directory.</summary>
    public string Apply(byte[] layer, IReadOnlyList<string> lowers)
    {
        var directory = Make("layer");
        var compression = LayerDecompressor.Detect(layer);
        var applied = LayerApplier.Apply(new MemoryStream(layer), compression, directory, s_format, new LayerLimits(), null, Ct);
        LayerSettler.Settle(applied, directory, lowers, s_format, Ct);
        return directory;
    }

    /// <summary>Does this machine mount images over loop devices?</summary>
    public bool CanMountImages
    {
        get
        {
            try
            {
                ApplyImage(new byte[1024], []);
                return true;
            }
            catch (ImageStoreException refused) when (refused.Kind is ErrorKind.Unsupported or ErrorKind.FailedPrecondition or ErrorKind.PermissionDenied)
            {
                return false;
            }
        }
    }

    /// <summary>Applies a layer as an image on those of <paramref name="lowers"/>; returns where it is mounted.</summary>
    public string ApplyImage(byte[] layer, IReadOnlyList<string> lowers)
    {
        var target = Make("image");
        var compression = LayerDecompressor.Detect(layer);
        var applied = ImageApplier.Apply(new MemoryStream(layer), compression, ImageOf(target), new LayerLimits(), null, Ct);
        ImageSettler.Settle(applied, ImageOf(target), [.. lowers.Select(ImageOf)], new LayerLimits(), Ct);
        ImageBench.Check(ImageOf(target));
        LayerMounts.MountImage(ImageOf(target), target, isLoop: true);
        _mounted.Add(target);
        return target;
    }

    /// <summary>Applies a layer onto a copy of a whole tree; returns the copy.</summary>
    public string Merge(byte[] layer, string tree)
    {
        var copy = Copy(tree);
        LayerMerger.MergeOnto(Apply(layer, [tree]), copy, s_format, Ct);
        return copy;
    }

    public string Copy(string tree)
    {
        var copy = Make("copy");
        TreeCopier.Copy(tree, copy, Ct);
        return copy;
    }

    private static string ImageOf(string mounted) => mounted + ".erofs";

    public void Unmount(string target)
    {
        Assert.True(_mounted.Remove(target));
        Mounter.UnmountAsync(target, detach: true, Ct).GetAwaiter().GetResult();
    }

    public static (int Code, string Output) Run(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }

    public void Dispose()
    {
        foreach (var target in _mounted.ToList())
        {
            Unmount(target);
        }

        TreeRemover.RemoveTree(_work);
    }
}
