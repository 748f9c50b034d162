using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using ImageStore.Store.Oci;

namespace ImageStore.Cli.Demo;

/// <summary>An image of two small layers, the same bytes each time: the upper one changes, adds and deletes.</summary>
internal sealed class DemoImage
{
    private const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Program = Plain | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    private static readonly DateTimeOffset s_time = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly Dictionary<string, (string MediaType, byte[] Bytes)> _documents = new(StringComparer.Ordinal);

    public DemoImage(string repository, string tag)
    {
        var (lower, upper) = (Lower(), Upper());
        var (first, second) = (Compress(lower), Compress(upper));
        var config = Encoding.UTF8.GetBytes(
            $$$"""
            {
              "architecture": "{{{Platform.Current.Architecture}}}", "os": "linux", "config": {"Cmd": ["/bin/hello"]},
              "rootfs": {"type": "layers", "diff_ids": ["{{{Digest.Compute(lower)}}}", "{{{Digest.Compute(upper)}}}"]}
            }
            """);
        var manifest = Encoding.UTF8.GetBytes(
            $$$"""
            {
              "schemaVersion": 2, "mediaType": "{{{MediaTypes.OciManifest}}}",
              "config": {{{Describe(MediaTypes.OciConfig, config)}}},
              "layers": [{{{Describe(MediaTypes.OciLayerGzip, first)}}}, {{{Describe(MediaTypes.OciLayerGzip, second)}}}]
            }
            """);
        foreach (var blob in (byte[][])[first, second, config])
        {
            _documents[$"/v2/{repository}/blobs/{Digest.Compute(blob)}"] = ("application/octet-stream", blob);
        }

        _documents[$"/v2/{repository}/manifests/{tag}"] = (MediaTypes.OciManifest, manifest);
        _documents[$"/v2/{repository}/manifests/{Digest.Compute(manifest)}"] = (MediaTypes.OciManifest, manifest);
    }

    /// <summary>What a registry answers, by path.</summary>
    public IReadOnlyDictionary<string, (string MediaType, byte[] Bytes)> Documents => _documents;

    private static byte[] Lower() => Tar(
        Directory("bin/"),
        File("bin/hello", "#!/bin/sh\ncat /etc/motd\n", Program),
        Directory("etc/"),
        File("etc/motd", "The lower layer wrote this.\n", Plain),
        Directory("tmp/"),
        File("tmp/scratch", "The upper layer deletes this.\n", Plain));

    private static byte[] Upper() => Tar(
        Directory("etc/"),
        File("etc/motd", "The upper layer wrote this.\n", Plain),
        File("tmp/.wh.scratch", string.Empty, Plain),
        Directory("share/"),
        File("share/notes", "A file that only the upper layer has.\n", Plain));

    private static byte[] Tar(params TarEntry[] entries)
    {
        using var bytes = new MemoryStream();
        using (var tar = new TarWriter(bytes, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var entry in entries)
            {
                entry.ModificationTime = s_time;
                tar.WriteEntry(entry);
            }
        }

        return bytes.ToArray();
    }

    private static UstarTarEntry Directory(string name) => new(TarEntryType.Directory, name) { Mode = Program };

    private static UstarTarEntry File(string name, string text, UnixFileMode mode) =>
        new(TarEntryType.RegularFile, name) { Mode = mode, DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) };

    private static byte[] Compress(byte[] tar)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(tar);
        }

        return bytes.ToArray();
    }

    private static string Describe(string mediaType, byte[] bytes) =>
        $$"""{"mediaType":"{{mediaType}}","digest":"{{Digest.Compute(bytes)}}","size":{{bytes.Length}}}""";
}
