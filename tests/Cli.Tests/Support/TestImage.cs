using System.Formats.Tar;
using System.Text;
using ImageStore.Store.Oci;
using ImageStore.TestKit;

namespace ImageStore.Cli.Tests.Support;

/// <summary>A small image, put into a registry.</summary>
internal sealed record TestImage(string Reference, Descriptor Manifest, Descriptor Layer)
{
    public const string FileName = "hello";

    public static TestImage Add(FakeRegistry registry, string repository, int layerBytes = 100, string tag = "1")
    {
        var content = new byte[layerBytes];
        new Random(layerBytes).NextBytes(content);
        var tar = Tar(content);
        var layer = registry.AddBlob(repository, tar, MediaTypes.OciLayer);
        var config = registry.AddBlob(
            repository,
            Encoding.UTF8.GetBytes(
                $$$"""
                {"architecture":"{{{Platform.Current.Architecture}}}","os":"linux","rootfs":{"type":"layers","diff_ids":["{{{layer.Digest}}}"]}}
                """),
            MediaTypes.OciConfig);
        var manifest = registry.AddManifest(
            repository,
            tag,
            Encoding.UTF8.GetBytes(
                $$$"""
                {"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}","config":{{{Json(config)}}},"layers":[{{{Json(layer)}}}]}
                """));
        return new TestImage($"{registry.Host}/{repository}:{tag}", manifest, layer);
    }

    private static byte[] Tar(byte[] content)
    {
        using var bytes = new MemoryStream();
        using (var tar = new TarWriter(bytes, TarEntryFormat.Ustar, leaveOpen: true))
        {
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, FileName) { DataStream = new MemoryStream(content) });
        }

        return bytes.ToArray();
    }

    private static string Json(Descriptor blob) =>
        $$"""{"mediaType":"{{blob.MediaType}}","digest":"{{blob.Digest}}","size":{{blob.Size}}}""";
}
