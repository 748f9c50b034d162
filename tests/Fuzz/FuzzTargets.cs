using System.Text;
using ImageStore.Distribution.Archives;
using ImageStore.Distribution.Auth;
using ImageStore.Distribution.Hosts;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer;
using ImageStore.Distribution.Transfer.Mirroring;
using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Fuzz;

/// <summary>Everything that reads what strangers wrote: it ends in an answer or in one of our errors, and in nothing else.</summary>
public static class FuzzTargets
{
    private const int ReadOfEachBlob = 64 * 1024;

    private static readonly string[] s_documents =
        [MediaTypes.OciManifest, MediaTypes.OciIndex, MediaTypes.DockerManifest, MediaTypes.DockerList, MediaTypes.OciArtifactManifest];

    /// <summary>The targets by name; each takes any bytes.</summary>
    public static IReadOnlyDictionary<string, Action<byte[]>> All { get; } = new SortedDictionary<string, Action<byte[]>>(StringComparer.Ordinal)
    {
        ["archive"] = Archive,
        ["contents"] = bytes => Refused(() => InFile(bytes, path => ArchiveContents.ReadFileAsync(path, CancellationToken.None).GetAwaiter().GetResult())),
        ["credentials"] = Credentials,
        ["headers"] = Headers,
        ["hosts"] = Hosts,
        ["layer"] = LayerTargets.Apply,
        ["manifest"] = Manifest,
        ["mirror"] = bytes => Refused(() => MirrorFile.Parse(Encoding.UTF8.GetString(bytes), "mirror.yaml")),
        ["tar"] = LayerTargets.Read,
    };

    private static void Manifest(byte[] bytes)
    {
        foreach (var mediaType in s_documents)
        {
            Refused(() => DocumentLinks.Parse(bytes, mediaType));
        }

        Refused(() => OciDocument.ParseConfig(bytes, 1));
    }

    private static void Headers(byte[] bytes)
    {
        var text = Encoding.Latin1.GetString(bytes);
        _ = Challenge.Parse(text);
        _ = LinkHeader.Next(text);
        _ = RetryAfter.Parse(text, DateTimeOffset.UnixEpoch, TimeSpan.FromMinutes(1));
        _ = Digest.TryParse(text, out _);
        Refused(() => ImageReference.Parse(text));
        Refused(() => Place.Parse(text));
        Refused(() => Platform.Parse(text));
    }

    private static void Hosts(byte[] bytes) => Refused(() => InFile(bytes, path =>
        HostsFile.Read(path, RegistryHost.Of(ImageReference.Parse("registry.example/image"), new RegistryOptions()))));

    private static void Credentials(byte[] bytes) => Refused(() => InFolder(bytes, "config.json", folder =>
        new CredentialStore(new RegistryOptions { DockerConfigDirectory = folder })
            .FindAsync("registry.example", "image", CancellationToken.None).GetAwaiter().GetResult()));

    private static void Archive(byte[] bytes) => InFile(bytes, path =>
    {
        Refused(() => WalkAsync(path).GetAwaiter().GetResult());
        return 0;
    });

    private static async Task WalkAsync(string path)
    {
        var archive = await ImageArchive.OpenAsync(path, null, CancellationToken.None);
        await using (archive)
        {
            _ = ArchiveContents.Of(archive);
            foreach (var image in archive.Images)
            {
                await Refused(() => WalkAsync(archive, image.Target));
            }
        }
    }

    private static async Task WalkAsync(IImageCollection archive, Descriptor root)
    {
        var manifest = await archive.FetchManifestAsync(root, CancellationToken.None);
        var buffer = new byte[ReadOfEachBlob];
        foreach (var blob in DocumentLinks.Parse(manifest.Bytes, manifest.Descriptor.MediaType).Blobs)
        {
            var stream = await archive.OpenBlobAsync(blob, 0, CancellationToken.None);
            await using (stream)
            {
                _ = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false);
            }
        }
    }

    private static T InFile<T>(byte[] bytes, Func<string, T> use) => InFolder(bytes, "input", folder => use(Path.Combine(folder, "input")));

    private static T InFolder<T>(byte[] bytes, string name, Func<string, T> use)
    {
        var folder = Directory.CreateTempSubdirectory("imagestore-fuzz-");
        try
        {
            File.WriteAllBytes(Path.Combine(folder.FullName, name), bytes);
            return use(folder.FullName);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    internal static void Refused(Action read)
    {
        try
        {
            read();
        }
        catch (ImageStoreException refused) when (refused.Kind != ErrorKind.Internal)
        {
            // What has to happen to most of what comes.
        }
    }

    private static async Task Refused(Func<Task> read)
    {
        try
        {
            await read();
        }
        catch (ImageStoreException refused) when (refused.Kind != ErrorKind.Internal)
        {
            // As above.
        }
    }
}
