using System.Diagnostics;
using System.Formats.Tar;
using System.Text;
using ImageStore.Daemon.Protocol.NamespacesV1;
using ImageStore.Daemon.Tests.Support;
using ImageStore.Store.Oci;

namespace ImageStore.Daemon.Tests.Authorization;

/// <summary>Debian's ctr as a user without root: what it may do it does as root does it, up to an unpacked image.</summary>
public sealed class CtrAccessTests : IAsyncLifetime
{
    private const string Configuration =
        """
        [daemon]
        socket_group = 4242
        [[access]]
        users = [1001]
        namespaces = ["team-a"]
        may = ["write"]
        """;

    private RunningDaemon _daemon = null!;

    public async ValueTask InitializeAsync()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return;
        }

        _daemon = await RunningDaemon.StartAsync(Configuration);
        foreach (var name in (string[])["team-a", "team-b"])
        {
            await new Namespaces.NamespacesClient(_daemon.Channel).CreateAsync(new CreateNamespaceRequest { Namespace = new() { Name = name } });
        }
    }

    public async ValueTask DisposeAsync() => await (_daemon?.DisposeAsync() ?? ValueTask.CompletedTask);

    [Fact]
    public async Task Import_IntoAnOwnNamespace_IsUnpacked()
    {
        Need();
        var archive = Path.Combine(_daemon.Work, "image.tar");
        await WriteImageAsync(archive);
        await OkAsync("-n", "team-a", "images", "import", "--snapshotter", "native", archive);
        Assert.Contains("example.com/image:1", await OkAsync("-n", "team-a", "images", "ls", "-q"), StringComparison.Ordinal);
        Assert.Contains("Committed", await OkAsync("-n", "team-a", "snapshots", "--snapshotter", "native", "ls"), StringComparison.Ordinal);
        Assert.Equal("team-a\n", await OkAsync("namespaces", "ls", "-q"));
        await OkAsync("-n", "team-a", "images", "rm", "--sync", "example.com/image:1");
        Assert.Empty(await OkAsync("-n", "team-a", "images", "ls", "-q"));
    }

    [Fact]
    public async Task AnyCommand_InAnothersNamespace_SaysWhatWouldBeNeeded()
    {
        Need();
        var archive = Path.Combine(_daemon.Work, "image.tar");
        await WriteImageAsync(archive);
        foreach (var command in (string[][])[["images", "ls"], ["content", "ls"], ["leases", "create"], ["images", "import", archive]])
        {
            var (code, output) = await CtrAsync(1001, ["-n", "team-b", .. command]);
            Assert.NotEqual(0, code);
            Assert.Contains("The user 1001 may not call", output, StringComparison.Ordinal);
            Assert.Contains("in the namespace 'team-b'", output, StringComparison.Ordinal);
        }

        var (stranger, told) = await CtrAsync(1009, "version");
        Assert.NotEqual(0, stranger);
        Assert.Contains("The user 1009 may not use this daemon", told, StringComparison.Ordinal);
        Assert.Equal(0, (await CtrAsync(0, "-n", "team-b", "images", "ls")).Code);
    }

    private static void Need()
    {
        Somebody.NeedRoot();
        Assert.SkipUnless(File.Exists("/usr/bin/ctr") && File.Exists("/usr/bin/setpriv"), "ctr or setpriv is not installed");
    }

    private async Task<string> OkAsync(params string[] arguments)
    {
        var (code, output) = await CtrAsync(1001, arguments);
        Assert.True(code == 0, output);
        return output;
    }

    private async Task<(int Code, string Output)> CtrAsync(uint user, params string[] arguments)
    {
        var start = new ProcessStartInfo("/usr/bin/setpriv")
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            ArgumentList = { $"--reuid={user}", $"--regid={user}", "--groups=4242", "--", "/usr/bin/ctr", "-a", _daemon.Address },
        };
        Array.ForEach(arguments, start.ArgumentList.Add);
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await error);
    }

    /// <summary>An archive of an image with one layer, which has one file.</summary>
    private static async Task WriteImageAsync(string path)
    {
        var layer = Tar([new PaxTarEntry(TarEntryType.RegularFile, "file") { DataStream = new MemoryStream("text"u8.ToArray()) }]);
        var architecture = Platform.Current.Architecture;
        var config = Encoding.UTF8.GetBytes(
            $$"""{"architecture":"{{architecture}}","os":"linux","rootfs":{"type":"layers","diff_ids":["{{DigestOf(layer)}}"]} }""");
        var manifest = Encoding.UTF8.GetBytes(
            $$"""
            {"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}",
             "config":{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{DigestOf(config)}}","size":{{config.Length}} },
             "layers":[{"mediaType":"{{MediaTypes.OciLayer}}","digest":"{{DigestOf(layer)}}","size":{{layer.Length}} }]}
            """);
        var index = Encoding.UTF8.GetBytes(
            $$$"""
            {"schemaVersion":2,"manifests":[{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{DigestOf(manifest)}}}","size":{{{manifest.Length}}},
             "annotations":{"io.containerd.image.name":"example.com/image:1"}}]}
            """);
        byte[][] blobs = [layer, config, manifest];
        var archive = Tar(
        [
            Entry("oci-layout", """{"imageLayoutVersion":"1.0.0"}"""u8.ToArray()), Entry("index.json", index),
            .. blobs.Select(blob => Entry($"blobs/sha256/{DigestOf(blob)["sha256:".Length..]}", blob)),
        ]);
        await File.WriteAllBytesAsync(path, archive, TestContext.Current.CancellationToken);
    }

    private static PaxTarEntry Entry(string name, byte[] data) => new(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(data) };

    private static byte[] Tar(IEnumerable<PaxTarEntry> entries)
    {
        using var bytes = new MemoryStream();
        using (var writer = new TarWriter(bytes, leaveOpen: true))
        {
            foreach (var entry in entries)
            {
                writer.WriteEntry(entry);
            }
        }

        return bytes.ToArray();
    }

    private static string DigestOf(byte[] bytes) => Digest.Compute(bytes, DigestAlgorithm.Sha256).ToString();
}
